-- Operations log in with a role of their own: they have of the registry what the control plane has, and act for tenants besides
-- (migrations/kernel/021_acting.sql).

grant usage on schema registry to tenantry_operations;
grant select, insert, update, delete on registry.tenants to tenantry_operations;
grant select, insert, update on registry.operations, registry.event_sequences to tenantry_operations;
grant select, insert, update (published_at) on registry.events to tenantry_operations;
grant select, insert on registry.audit_log to tenantry_operations;
grant execute on function registry.tenant_record, registry.operation_record, registry.emit, registry.create_operation,
  registry.start_operation, registry.mark_step, registry.require_turn, registry.abandon_operation, registry.end_operation to tenantry_operations;


-- Steps that take long say how far they are, and what an operation has found out outlives it.

alter table registry.operations add column result jsonb;
comment on column registry.operations.result is 'What the operation has made or shown: where an export is, the proof of an erasure.';


create or replace function registry.operation_record(operation registry.operations) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('id', operation.id, 'tenantId', operation.tenant_id, 'kind', operation.kind, 'state', operation.state,
    'input', operation.input, 'before', operation.before, 'steps', operation.steps, 'counts', operation.counts,
    'percent', case when operation.state = 'succeeded' then 100 else (
      select coalesce(floor(100 * sum(case s ->> 'state' when 'succeeded' then 1 when 'running' then coalesce((s -> 'share')::numeric, 0)
        else 0 end) / nullif(count(*), 0)), 0)
      from jsonb_array_elements(operation.steps) s
    ) end,
    'result', operation.result, 'error', operation.error, 'actor', operation.actor,
    'createdAt', operation.created_at, 'updatedAt', operation.updated_at, 'endedAt', operation.ended_at)
$$;

comment on function registry.operation_record is
  'An operation as JSON, with the share of its steps that are done, in percent; of one that is running, as much as it has said.';


create function registry.report_progress(operation uuid, step text, share numeric, new_counts jsonb, new_result jsonb) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- Whoever begins anew is not as far as he was, but at work all the same.
  update registry.operations o set updated_at = now() where o.id = operation and o.state = 'running';
  update registry.operations o set counts = o.counts || new_counts,
    result = case when new_result is null then o.result else coalesce(o.result, '{}') || new_result end,
    steps = (
      select jsonb_agg(case when s ->> 'name' = step then s || jsonb_build_object('share', share) else s end order by place)
      from jsonb_array_elements(o.steps) with ordinality e (s, place)
    )
  -- Another execution may have gone on since, or be further.
  where o.id = operation and o.state = 'running' and exists (
    select from jsonb_array_elements(o.steps) s
    where s ->> 'name' = step and s ->> 'state' = 'running' and coalesce((s -> 'share')::numeric, 0) <= share
  )
$$;
grant execute on function registry.report_progress to tenantry_operations;

comment on function registry.report_progress is
  'Says which share of a step is done, between 0 and 1, and adds to what the operation has counted and found out; '
  'not if the step is not running, or further already.';


select tenancy.seal('registry.operations');
