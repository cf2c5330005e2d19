-- How an operation goes on and ends. Each of these is one call and one transaction, and may be repeated.

create function registry.start_operation(operation uuid, step_names jsonb) returns jsonb
language sql
set search_path = pg_catalog, pg_temp
as $$
  with started as (
    update registry.operations o
    set state = 'running', updated_at = now(), steps = (
      select jsonb_agg(coalesce(
        -- Begun before, perhaps by a version that had other steps besides.
        (select s from jsonb_array_elements(o.steps) s where s ->> 'name' = name),
        jsonb_build_object('name', name, 'state', 'pending', 'startedAt', null, 'endedAt', null)) order by place)
      from jsonb_array_elements_text(step_names) with ordinality n (name, place)
    )
    where o.id = operation and o.state in ('pending', 'running')
    returning registry.operation_record(o) as record
  )
  select coalesce(
    (select record from started),
    (select registry.operation_record(o) from registry.operations o where o.id = operation))
$$;
grant execute on function registry.start_operation to tenantry_control;

comment on function registry.start_operation is
  'Says that an operation is running, and of which steps it consists. One that has ended stays as it is; null if there is none.';


create function registry.mark_step(operation uuid, step text, new_state text) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  marked constant registry.operations := (select o from registry.operations o where o.id = operation for update);
  old_state constant text := (select s ->> 'state' from jsonb_array_elements(marked.steps) s where s ->> 'name' = step);
  -- Milliseconds, where the clock has gone on: a registry that was restored does not count what homes have seen already.
  next_turn constant bigint := case when new_state in ('running', 'undoing')
    then greatest(marked.turn + 1, (extract(epoch from clock_timestamp()) * 1000)::bigint) else marked.turn end;
begin
  if old_state = new_state and new_state in ('succeeded', 'undone')
    or (old_state, new_state) in (('succeeded', 'running'), ('undone', 'undoing')) then
    return jsonb_build_object('outcome', 'done');
  end if;
  -- Steps are done until there is a reason to undo them, and only undone from then on.
  if marked.state is distinct from 'running' or old_state is null
    or (marked.error is null) is distinct from (new_state in ('running', 'succeeded'))
    or (old_state, new_state) not in (('pending', 'running'), ('running', 'running'), ('running', 'succeeded'),
      ('failed', 'undoing'), ('running', 'undoing'), ('succeeded', 'undoing'), ('undoing', 'undoing'), ('undoing', 'undone')) then
    return jsonb_build_object('outcome', 'refused');
  end if;
  update registry.operations o set updated_at = now(), turn = next_turn, steps = (
    select jsonb_agg(case when s ->> 'name' <> step then s else s || jsonb_build_object('state', new_state,
      'startedAt', coalesce(nullif(s -> 'startedAt', 'null'), to_jsonb(now())),
      'endedAt', case when new_state in ('succeeded', 'undone') then now() end)
    end order by place)
    from jsonb_array_elements(o.steps) with ordinality e (s, place)
  )
  where o.id = operation;
  return jsonb_build_object('outcome', 'marked', 'turn', next_turn);
end
$$;
grant execute on function registry.mark_step to tenantry_control;

comment on function registry.mark_step is
  'Says that a step of a running operation is running, succeeded, undoing or undone: marked, with the turn of whoever begins with it, or '
  'done if it was that far before, or refused if it is for another execution of the operation to go on.';


create function registry.require_turn(operation uuid, its_turn bigint) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Whoever is to overtake waits until what this transaction changes is there.
  perform from registry.operations o where o.id = operation and o.state = 'running' and o.turn = its_turn for update;
  if not found then
    raise exception 'Another execution of the operation % has gone on with it, or it has ended', operation using errcode = 'TN013';
  end if;
end
$$;
grant execute on function registry.require_turn to tenantry_control;

comment on function registry.require_turn is
  'Fails if an operation has ended, or another execution of it has begun with a step since this turn: what the same statement changes is '
  'not to come late.';


create function registry.abandon_operation(operation uuid, reason jsonb) returns jsonb
language sql
set search_path = pg_catalog, pg_temp
as $$
  with abandoned as (
    update registry.operations o set error = coalesce(o.error, reason), updated_at = now(), steps = (
      select jsonb_agg(case when s ->> 'state' <> 'running' then s
        else s || jsonb_build_object('state', 'failed', 'endedAt', now()) end order by place)
      from jsonb_array_elements(o.steps) with ordinality e (s, place)
    )
    where o.id = operation and o.state = 'running'
    returning registry.operation_record(o) as record
  )
  select coalesce(
    (select record from abandoned),
    (select registry.operation_record(o) from registry.operations o where o.id = operation))
$$;
grant execute on function registry.abandon_operation to tenantry_control;

comment on function registry.abandon_operation is
  'Says why a running operation cannot succeed any more: from now on it is only undone, also after an interruption. The first reason '
  'stays, and one that has ended stays as it is.';


create function registry.end_operation(operation uuid, success_event text, failure_event text) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  ended registry.operations;
  event_type text;
begin
  update registry.operations o
    set state = case when o.error is null then 'succeeded' else 'failed' end, ended_at = now(), updated_at = now()
    where o.id = operation and o.state = 'running' returning * into ended;
  if not found then
    return (select registry.operation_record(o) from registry.operations o where o.id = operation);
  end if;
  event_type := case ended.state when 'succeeded' then success_event else failure_event end;
  if event_type is not null then
    perform registry.emit(ended.tenant_id, event_type, ended.input || jsonb_strip_nulls(
      jsonb_build_object('operationId', ended.id, 'error', ended.error)));
  end if;
  insert into registry.audit_log (actor, action, tenant_id, operation_id, detail, before, after)
    values (ended.actor, ended.kind || '.' || ended.state, ended.tenant_id, ended.id, coalesce(ended.error, ended.input),
      ended.before, registry.tenant_record(ended.tenant_id));
  return registry.operation_record(ended);
end
$$;
grant execute on function registry.end_operation to tenantry_control;

comment on function registry.end_operation is
  'Ends a running operation: failed if it was abandoned, else succeeded; with the event of that and an entry in the audit log. One that '
  'has ended stays as it is.';
