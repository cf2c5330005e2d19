-- What the control plane may do with runs of the migration runner: look at them, and begin one. Its login has no right to the table itself.

create function registry.show_fleet_run(run uuid) returns jsonb
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select registry.fleet_run_record(r) from registry.fleet_runs r where run is null or r.id = run order by r.started_at desc limit 1
$$;
grant execute on function registry.show_fleet_run to tenantry_control;

comment on function registry.show_fleet_run is 'A run; the one that began last if none is named. Null when there is none.';


create function registry.begin_fleet_run(request jsonb) returns jsonb
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  last_run registry.fleet_runs;
  asked_for registry.fleet_runs;
  begun registry.fleet_runs;
begin
  -- One begins at a time, be it a deployment: who comes second sees the first.
  lock table registry.fleet_runs in share row exclusive mode;
  select * into asked_for from registry.fleet_runs r
    where r.id = (request ->> 'id')::uuid or r.idempotency_key = request ->> 'idempotencyKey';
  if found and not (asked_for.state = 'failed' and asked_for.slice = 0) then
    return jsonb_build_object('outcome', 'known', 'run', registry.fleet_run_record(asked_for));
  end if;
  select * into last_run from registry.fleet_runs r order by r.started_at desc limit 1;
  if last_run.state = 'running'
    and last_run.updated_at > clock_timestamp() - make_interval(secs => (request ->> 'lostAfterSeconds')::integer) then
    return jsonb_build_object('outcome', 'in-progress', 'run', registry.fleet_run_record(last_run));
  end if;
  insert into registry.fleet_runs as r (id, state, slice, place, done, failed, missing, put_off, causes, actor, idempotency_key)
    values (coalesce(asked_for.id, (request ->> 'id')::uuid), 'running', 0, 'shared all', 0, 0, 0, 0, '[]', request ->> 'actor',
      request ->> 'idempotencyKey')
  -- One that could not be started begins anew.
  on conflict (id) do update set state = 'running', error = null, ended_at = null, started_at = clock_timestamp(), moved_at = now(),
    updated_at = now()
  returning r.* into begun;
  insert into registry.audit_log (actor, action, detail, before, after)
    values (request ->> 'actor', 'migration.requested', jsonb_build_object('runId', begun.id),
      case when last_run.id is not null then registry.fleet_run_record(last_run) end, registry.fleet_run_record(begun));
  return jsonb_build_object('outcome', 'begun', 'run', registry.fleet_run_record(begun));
end
$$;
grant execute on function registry.begin_fleet_run to tenantry_control;

comment on function registry.begin_fleet_run is
  'Writes down a run {"id"} that {"actor"} asks for, and its entry in the audit log with the last run as what was before. Outcome: begun, '
  'also of one that could not be started before; known, by its id or {"idempotencyKey"}; or in-progress, with the last run, if something was '
  'written of that in the last {"lostAfterSeconds"}.';


create function registry.fail_fleet_run(run uuid, failed_by text, reason text) returns boolean
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  known constant registry.fleet_runs := (
    select r from registry.fleet_runs r where r.id = run and r.actor is not null and r.state = 'running' and r.slice = 0 for update
  );
  ended registry.fleet_runs;
begin
  update registry.fleet_runs r set state = 'failed', error = left(reason, 1000), updated_at = now(), ended_at = now()
    where r.id = known.id returning * into ended;
  if found then
    insert into registry.audit_log (actor, action, detail, before, after)
      values (failed_by, 'migration.start-failed', jsonb_build_object('runId', run, 'error', ended.error),
        registry.fleet_run_record(known), registry.fleet_run_record(ended));
  end if;
  return ended.id is not null;
end
$$;
grant execute on function registry.fail_fleet_run to tenantry_control;

comment on function registry.fail_fleet_run is
  'Ends a run that an operator has asked for and that could not be started, with an entry in the audit log. One that is at work, or a '
  'deployment''s, stays as it is, which is false.';


-- They read and write for a role that may not: the audit takes them as they are, and tells when they change.
select tenancy.seal('registry.show_fleet_run(uuid)', 'registry.begin_fleet_run(jsonb)', 'registry.fail_fleet_run(uuid,text,text)');
