-- The registry: the control plane's record of tenants and where they live.

create schema registry;
grant usage on schema registry to tenantry_app, tenantry_authorizer, tenantry_control;

comment on schema registry is 'The control plane''s record of tenants and placements.';


create table registry.tenants (
  tenant_id text primary key check (tenant_id ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  name text not null check (char_length(name) between 1 and 200),
  plan text not null check (plan in ('free', 'pro', 'enterprise')),
  -- {"requestsPerMinute", "burst", "concurrentRequests"}, each where it is lower than the plan's; null if none is.
  limits jsonb check (jsonb_typeof(limits) = 'object' and limits <> '{}'),
  state text not null default 'active' check (state in ('onboarding', 'active', 'suspended', 'offboarding')),
  model text not null check (model in ('pool', 'bridge', 'silo')),
  cluster text not null,
  database name not null,
  schema name not null,
  -- ARN of the login of a database that is the tenant's alone; that of its cluster otherwise.
  secret_arn text,
  -- Value of the tenant's API Gateway key: counts its requests. Clients never see it.
  api_key text,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
revoke all on registry.tenants from public;
grant select on registry.tenants to tenantry_authorizer;
grant select, insert, update, delete on registry.tenants to tenantry_control;

comment on table registry.tenants is 'Every tenant, its plan, limits of its own, its state, and where its data lives.';


create function registry.current_placement(capability text) returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_strip_nulls(jsonb_build_object('model', t.model, 'cluster', t.cluster, 'database', t.database, 'schema', t.schema,
    'secretArn', t.secret_arn))
  from registry.tenants t, tenancy.signing_keys k
  where t.tenant_id = split_part(capability, '.', 3) and k.key_id = split_part(capability, '.', 2)
    and split_part(capability, '.', 1) = 'v1' and tenancy.is_signed(capability, k.inner_pad, k.outer_pad)
    and to_timestamp(split_part(capability, '.', 4)::bigint) > clock_timestamp()
$$;
grant execute on function registry.current_placement to tenantry_app;

comment on function registry.current_placement is
  'Where the tenant of a valid capability lives now, else null: asked by functions whose routing is stale. Tells nothing of '
  'other tenants.';


-- It reads signing keys with the rights of their owner, as it has to: the audit takes what is sealed as it is, and tells when it changes.
select tenancy.seal('registry.current_placement(text)', 'registry.tenants');
