-- The audit log of the control plane: who did what, to which tenant, what was before and what after.

create table registry.audit_log (
  entry bigint generated always as identity primary key,
  at timestamptz not null default clock_timestamp(),
  actor text not null,
  action text not null,
  -- Null where it is about no tenant.
  tenant_id text,
  operation_id uuid,
  -- What was asked for, or why it failed.
  detail jsonb not null,
  before jsonb,
  after jsonb
);
revoke all on registry.audit_log from public;
grant select, insert on registry.audit_log to tenantry_control;

comment on table registry.audit_log is 'Every change by the control plane, with its actor. Entries are added, never changed.';

create index audit_log_by_tenant on registry.audit_log (tenant_id, entry);
comment on index registry.audit_log_by_tenant is 'The history of one tenant.';


create function registry.refuse_change() returns trigger
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  raise exception '% is append-only: % is refused', tg_relid::regclass, lower(tg_op) using errcode = '42501',
    hint = 'Add an entry that corrects the earlier one.';
end
$$;

comment on function registry.refuse_change is 'Trigger of tables to which rows are only added. Binds their owner as well.';

create trigger append_only before update or delete or truncate on registry.audit_log
  for each statement execute function registry.refuse_change();


select tenancy.seal('registry.audit_log', 'registry.refuse_change()', 'trigger append_only on registry.audit_log');
