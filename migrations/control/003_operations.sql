-- Operations: what the control plane does to a tenant, with its progress.

alter table registry.tenants add column api_key_id text;
comment on column registry.tenants.api_key_id is 'What API Gateway calls the tenant''s key.';


create table registry.operations (
  id uuid primary key,
  tenant_id text not null check (tenant_id ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  kind text not null check (kind in ('onboard', 'activate', 'suspend', 'change-plan', 'change-limits', 'rename', 'offboard', 'export')),
  state text not null default 'pending' check (state in ('pending', 'running', 'succeeded', 'failed')),
  -- What was asked for, beyond tenant and kind.
  input jsonb not null,
  -- What the registry said of the tenant then, null if nothing: what a failed operation goes back to.
  before jsonb,
  -- [{"name", "state", "startedAt", "endedAt"}] in the order in which they run.
  steps jsonb not null default '[]',
  counts jsonb not null default '{}',
  -- {"code", "message", "remedy"}. Set while the operation is running, it is being undone.
  error jsonb,
  actor text not null,
  idempotency_key text unique,
  -- Greater whenever an execution begins with a step, or begins it anew, and from one operation of the tenant to the next: who has a
  -- smaller one was overtaken, and is to change nothing any more.
  turn bigint not null default 0,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  check ((ended_at is not null) = (state in ('succeeded', 'failed'))),
  check ((error is not null) >= (state = 'failed'))
);
revoke all on registry.operations from public;
grant select, insert, update on registry.operations to tenantry_control;

comment on table registry.operations is 'What the control plane does, or did, to a tenant. Outlives the tenant.';

create unique index operations_unfinished on registry.operations (tenant_id) where state in ('pending', 'running');
comment on index registry.operations_unfinished is 'Two operations on one tenant would undo each other''s work: one at a time.';

create index operations_by_age on registry.operations (created_at, id);
comment on index registry.operations_by_age is 'The order in which operations are listed.';


create index operations_by_state on registry.operations (state, created_at, id);
comment on index registry.operations_by_state is 'The order in which operations of a state are listed.';

create index operations_by_tenant on registry.operations (tenant_id, created_at, id);
comment on index registry.operations_by_tenant is 'What was done to one tenant, also to one that is gone.';


create function registry.tenant_record(tenant text) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('name', t.name, 'plan', t.plan, 'limits', t.limits, 'state', t.state, 'placement',
    jsonb_build_object('model', t.model, 'cluster', t.cluster, 'database', t.database, 'schema', t.schema))
  from registry.tenants t where t.tenant_id = tenant
$$;
grant execute on function registry.tenant_record to tenantry_control;

comment on function registry.tenant_record is
  'What the registry says of a tenant, as audit log and operations keep it: without its API key. Null if there is no such tenant.';


create function registry.operation_record(operation registry.operations) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('id', operation.id, 'tenantId', operation.tenant_id, 'kind', operation.kind, 'state', operation.state,
    'input', operation.input, 'before', operation.before, 'steps', operation.steps, 'counts', operation.counts,
    'percent', case when operation.state = 'succeeded' then 100 else (
      select coalesce(100 * count(*) filter (where s ->> 'state' = 'succeeded') / nullif(count(*), 0), 0)
      from jsonb_array_elements(operation.steps) s
    ) end,
    'error', operation.error, 'actor', operation.actor,
    'createdAt', operation.created_at, 'updatedAt', operation.updated_at, 'endedAt', operation.ended_at)
$$;
grant execute on function registry.operation_record to tenantry_control;

comment on function registry.operation_record is 'An operation as JSON, with the share of its steps that are done, in percent.';


select tenancy.seal('registry.tenants', 'registry.operations');
