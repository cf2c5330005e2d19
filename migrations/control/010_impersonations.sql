-- Impersonation: an operator acts for a tenant, for a while. Each of them, and each use of it, is in the audit log.

create table registry.impersonations (
  id uuid primary key,
  tenant_id text not null check (tenant_id ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  actor text not null check (actor <> ''),
  reason text not null check (char_length(reason) between 1 and 500),
  -- SHA-256 of a token of 256 random bits, which itself is nowhere but with the operator.
  token_hash bytea not null unique check (octet_length(token_hash) = 32),
  created_at timestamptz not null default now(),
  expires_at timestamptz not null check (expires_at > created_at and expires_at <= created_at + interval '1 hour'),
  ended_at timestamptz
);
revoke all on registry.impersonations from public;
-- Nobody but the functions below writes here, so that there is none without its entry in the audit log.
grant select on registry.impersonations to tenantry_authorizer, tenantry_control;

comment on table registry.impersonations is 'Operators who act, or acted, for a tenant, and why.';


create function registry.impersonation_record(impersonation registry.impersonations) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('id', impersonation.id, 'tenantId', impersonation.tenant_id, 'actor', impersonation.actor,
    'reason', impersonation.reason, 'createdAt', impersonation.created_at, 'expiresAt', impersonation.expires_at,
    'endedAt', impersonation.ended_at)
$$;

comment on function registry.impersonation_record is 'An impersonation as the audit log keeps it: nothing of its token.';


create function registry.begin_impersonation(request jsonb) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tenant_state text;
  made registry.impersonations;
begin
  select t.state into tenant_state from registry.tenants t where t.tenant_id = request ->> 'tenantId' for share;
  if tenant_state is distinct from 'active' then
    return jsonb_build_object('outcome', case when tenant_state is null then 'tenant-unknown' else 'tenant-inactive' end);
  end if;
  insert into registry.impersonations (id, tenant_id, actor, reason, token_hash, expires_at)
    values ((request ->> 'id')::uuid, request ->> 'tenantId', request ->> 'actor', request ->> 'reason',
      decode(request ->> 'tokenHash', 'hex'), now() + make_interval(mins => (request ->> 'minutes')::integer))
    on conflict (id) do nothing returning * into made;
  if made.id is null then
    -- Asked again by somebody to whom the first answer did not come.
    select * into strict made from registry.impersonations i
      where i.id = (request ->> 'id')::uuid and i.token_hash = decode(request ->> 'tokenHash', 'hex');
  else
    insert into registry.audit_log (actor, action, tenant_id, detail, after)
      values (made.actor, 'impersonation.begun', made.tenant_id,
        jsonb_build_object('impersonationId', made.id, 'reason', made.reason), registry.impersonation_record(made));
  end if;
  return jsonb_build_object('outcome', 'begun', 'expiresAt', made.expires_at);
end
$$;
grant execute on function registry.begin_impersonation to tenantry_control;

comment on function registry.begin_impersonation is
  'Lets {"actor"} act for the active tenant {"tenantId"} with the token whose SHA-256 is {"tokenHash"}, for {"minutes"}, and writes that '
  'to the audit log. Outcome: begun, also if {"id"} had begun before with this token; tenant-unknown or tenant-inactive.';


create function registry.end_impersonation(tenant text, impersonation uuid, ended_by text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known constant registry.impersonations :=
    (select i from registry.impersonations i where i.id = impersonation and i.tenant_id = tenant for update);
  ended registry.impersonations;
begin
  update registry.impersonations i set ended_at = clock_timestamp()
    where i.id = known.id and i.ended_at is null and i.expires_at > clock_timestamp() returning * into ended;
  if found then
    insert into registry.audit_log (actor, action, tenant_id, detail, before, after)
      values (ended_by, 'impersonation.ended', tenant, jsonb_build_object('impersonationId', impersonation),
        registry.impersonation_record(known), registry.impersonation_record(ended));
  end if;
  return known.id is not null;
end
$$;
grant execute on function registry.end_impersonation to tenantry_control;

comment on function registry.end_impersonation is
  'Ends an impersonation of the tenant before its time, with an entry in the audit log. One that is over stays as it is; false if there '
  'is none.';


create function registry.record_impersonated_use(
  capability text, impersonation uuid, method text, route text, request_id text
) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- What the client has sent, which nothing that runs inside of it can change.
  if position('tenancy.run' in current_query()) > 0 then
    raise exception 'A use is recorded before the statements of the tenant, not by them' using errcode = '42501';
  end if;
  insert into registry.audit_log (actor, action, tenant_id, detail)
    select i.actor, 'impersonation.used', i.tenant_id, jsonb_build_object('impersonationId', i.id,
      'method', left(method, 10), 'route', left(route, 200), 'requestId', left(request_id, 200))
    from registry.impersonations i
    -- Not one of a tenant who had the same id earlier.
    join registry.tenants t on t.tenant_id = i.tenant_id and t.created_at <= i.created_at
    join tenancy.signing_keys k on k.key_id = split_part(capability, '.', 2)
    where i.id = impersonation and i.ended_at is null and i.expires_at > clock_timestamp()
      and split_part(capability, '.', 1) = 'v1' and tenancy.is_signed(capability, k.inner_pad, k.outer_pad)
      and split_part(capability, '.', 3) = i.tenant_id
      and to_timestamp(split_part(capability, '.', 4)::bigint) > clock_timestamp();
  return found;
end
$$;
grant execute on function registry.record_impersonated_use to tenantry_app;

comment on function registry.record_impersonated_use is
  'Writes to the audit log that a request is made in an impersonation, with the actor of that one. False, and nothing written, unless it '
  'goes on and is of the tenant whose valid capability this is.';


-- They write for roles that may not, and the last reads signing keys: the audit takes them as they are, and tells when they change.
select tenancy.seal('registry.begin_impersonation(jsonb)', 'registry.end_impersonation(text,uuid,text)',
  'registry.record_impersonated_use(text,uuid,text,text,text)', 'registry.impersonations');
