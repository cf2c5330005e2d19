-- Operations that nobody goes on with, because their start or their execution was lost, are started again.

alter table registry.operations add column restarts int not null default 0;
comment on column registry.operations.restarts is 'How often it was started again. Part of the name of its next execution.';


create function registry.claim_untouched_operations(untouched_since timestamptz, most int) returns setof jsonb
language sql
set search_path = pg_catalog, pg_temp
as $$
  with untouched as (
    select o.id, o.updated_at from registry.operations o
    where o.state in ('pending', 'running') and o.updated_at < untouched_since
    order by o.updated_at, o.id limit most
    for update skip locked
  ), claimed as (
    update registry.operations o set restarts = o.restarts + 1, updated_at = now()
    from untouched u where o.id = u.id
    returning o.id, o.tenant_id, o.kind, o.restarts, u.updated_at
  )
  select jsonb_build_object('operationId', id, 'tenantId', tenant_id, 'kind', kind, 'restarts', restarts)
  from claimed order by updated_at, id
$$;
grant execute on function registry.claim_untouched_operations to tenantry_control;

comment on function registry.claim_untouched_operations is
  'Unfinished operations that nothing was written of since then, those that wait longest first. They count as touched now, so nobody else '
  'gets them until they have waited again.';


select tenancy.seal('registry.operations');
