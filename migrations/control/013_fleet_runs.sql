-- Runs of the migration runner, so that an operator sees how far one is that outlives its deployment. What is done stands in the ledger
-- of each database; this is a note of it, and nothing is decided by it.

create table registry.fleet_runs (
  id uuid primary key,
  state text not null check (state in ('running', 'done', 'failed', 'stopped', 'overtaken')),
  -- How often it was gone on with.
  slice integer not null,
  -- Where in the fleet it is.
  place text not null,
  done bigint not null,
  failed bigint not null,
  missing bigint not null,
  put_off bigint not null,
  placements bigint not null default 0,
  seen bigint not null default 0,
  -- [{"version", "sqlstate", "error", "count", "placements"}] with the names of the first placements.
  causes jsonb not null,
  -- Why it ended before its time.
  error text,
  -- Who asked for it; null of a deployment.
  actor text,
  idempotency_key text unique,
  -- Not the time of the transaction: one that waited for another that begins has begun after it.
  started_at timestamptz not null default clock_timestamp(),
  moved_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  ended_at timestamptz,
  check ((ended_at is null) = (state = 'running'))
);
-- The migration runner alone writes it, and whoever is the owner reads it. The control plane has functions for what it needs.
revoke all on registry.fleet_runs from public;

comment on table registry.fleet_runs is
  'Runs of the migration runner, each with what came of it by its last slice. Stopped is one that has failed more often than it puts '
  'up with, overtaken one in whose place a later one goes on.';
comment on column registry.fleet_runs.done is 'Placements to which it has brought something, and that lack nothing now.';
comment on column registry.fleet_runs.missing is 'Of those that failed, databases of tenants'' own that are not there.';
comment on column registry.fleet_runs.put_off is 'Databases of tenants'' own that took too long, and are for when the others are done.';
comment on column registry.fleet_runs.placements is
  'How many there are to look at, as far as is known: of databases that tenants share those that lacked something, and all databases of tenants'' own.';
comment on column registry.fleet_runs.seen is 'How many of these it has been at.';
comment on column registry.fleet_runs.moved_at is 'When it was last seen to be further than before.';
comment on column registry.fleet_runs.updated_at is 'When it was last written of.';

create index fleet_runs_by_age on registry.fleet_runs (started_at desc);
comment on index registry.fleet_runs_by_age is 'Which was the last.';


create function registry.fleet_run_record(run registry.fleet_runs) returns jsonb
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select jsonb_build_object('id', run.id, 'state', run.state, 'slice', run.slice, 'place', run.place, 'done', run.done,
    'failed', run.failed, 'missing', run.missing, 'putOff', run.put_off, 'placements', run.placements, 'seen', run.seen,
    'causes', run.causes, 'error', run.error, 'actor', run.actor, 'startedAt', run.started_at, 'movedAt', run.moved_at,
    'updatedAt', run.updated_at, 'endedAt', run.ended_at)
$$;

comment on function registry.fleet_run_record is 'A run as JSON.';


create function registry.record_fleet_run(run jsonb) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into registry.fleet_runs as r (id, state, slice, place, done, failed, missing, put_off, placements, seen, causes, error, ended_at)
    select n.id, n.state, n.slice, n.place, n.done, n.failed, n.missing, n.put_off, n.placements, n.seen, n.causes, n.error,
      case when n.state <> 'running' then now() end
    from jsonb_populate_record(null::registry.fleet_runs, run) n
  on conflict (id) do update set state = excluded.state, slice = excluded.slice, place = excluded.place, done = excluded.done,
    failed = excluded.failed, missing = excluded.missing, put_off = excluded.put_off, placements = excluded.placements,
    seen = excluded.seen, causes = excluded.causes, error = excluded.error,
    moved_at = case when (r.place, r.done, r.failed) is distinct from (excluded.place, excluded.done, excluded.failed) then now()
      else r.moved_at end,
    updated_at = now(), ended_at = excluded.ended_at
    -- One that ended before its first slice could not be started, as far as anybody knew.
    where (r.ended_at is null or r.slice = 0) and (excluded.slice, excluded.done) >= (r.slice, r.done)
$$;

comment on function registry.record_fleet_run is
  'Writes down how far a run is, in place of what was known of it. What is told late, of an earlier slice or of a run that has ended, is not '
  'news. May be repeated.';


select tenancy.seal('registry.fleet_runs', 'registry.fleet_run_record(registry.fleet_runs)', 'registry.record_fleet_run(jsonb)');
