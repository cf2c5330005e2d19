-- What the fleet's runner calls, again and again, until nothing is left to do. Each call takes placements that nobody else has, is short,
-- and may be repeated; docs/migrations.md.

create function tenancy.migrate_some(run text, only_ text[], most integer, most_ms integer, most_locks integer) returns setof json
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => most_ms / 1000.0);
  placement text;
  file tenancy.migration_files;
  applied text[];
  is_complete boolean;
  current_version text;
  state text;
  problem text;
begin
  -- Files do not change while they are being applied.
  lock table tenancy.migration_files in row exclusive mode;
  -- Who waits for a lock keeps all waiting that come after him.
  perform set_config('lock_timeout', '3s', true);
  for placement in
    select t.target from tenancy.migration_targets t
    where t.target in (
      select n.target from tenancy.next_files(only_) n where n.mode = 'transaction' and n.target not in (select tenancy.given_up(run))
    ) and not t.dropping
    order by t.target limit most for update skip locked
  loop
    applied := '{}';
    is_complete := true;
    current_version := null;
    begin
      -- Read anew, now that the placement is ours: somebody may have been here between the question above and the lock.
      for file in
        select f.* from tenancy.migration_files f
        where not f.withdrawn and not exists (
          select from tenancy.migrations m where m.target = placement::name and m.version = f.version and m.state = 'done'
        ) order by f.version collate "C"
      loop
        is_complete := file.mode = 'transaction';
        exit when not is_complete;
        current_version := file.version;
        perform tenancy.apply_migration(placement, file.version, file.checksum, file.sql, run);
        applied := applied || file.version;
      end loop;
      if current_version is not null then
        perform tenancy.hide_new_values(placement);
      end if;
      return next json_build_object('placement', placement, 'applied', applied, 'complete', is_complete);
    exception when query_canceled or assert_failure or others then
      -- No file has failed, so this is nothing to write down of the placement: the call has failed, and is made again.
      if current_version is null then
        raise;
      end if;
      get stacked diagnostics state = returned_sqlstate, problem = message_text;
      perform tenancy.write_failure(placement, current_version, run, state, problem);
      return next json_build_object('placement', placement, 'failed', current_version, 'sqlstate', state, 'error', problem);
    end;
    -- All locks are held until the end of the call.
    exit when clock_timestamp() > until or most_locks < (select count(*) from pg_locks l where l.pid = pg_backend_pid());
  end loop;
end
$$;
comment on function tenancy.migrate_some is
  'Brings a few placements up to date, as far as that goes in transactions. Each by itself: one that fails is left as it was, and its '
  'error written down. Ends early when it has taken too long or too many locks.';


create function tenancy.statement_mark(placement text, version text) returns text
language sql immutable
return '/* tenantry ' || md5(placement || ' ' || version) || ' */';
comment on function tenancy.statement_mark is 'What a statement that runs alone begins with, by which others see that it is running.';


create function tenancy.is_claimed(placement name, of_version text, lease_seconds integer) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Who has claimed it is about to run it, or is running it; or is gone.
  select exists (
    select from tenancy.migrations m
    where m.target = placement and m.version = of_version and m.state = 'running'
      and (m.started_at > clock_timestamp() - make_interval(secs => lease_seconds) or exists (
        select from pg_stat_activity a
        where a.datname = current_database() and a.state = 'active' and a.pid <> pg_backend_pid()
          and starts_with(a.query, tenancy.statement_mark(placement, of_version))))
  )
$$;
comment on function tenancy.is_claimed is 'Whether somebody is at a statement that runs alone.';


create function tenancy.claim_alone(run text, only_ text[], lease_seconds integer) returns setof json
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  placement name;
  file tenancy.migration_files;
  is_edited boolean;
begin
  lock table tenancy.migration_files in row exclusive mode;
  select t.target into placement from tenancy.migration_targets t
    where t.target in (
      select n.target from tenancy.next_files(only_) n
      where n.mode = 'alone' and n.target not in (select tenancy.given_up(run))
        and not tenancy.is_claimed(n.target, n.version, lease_seconds)
    ) and not t.dropping
    order by t.target limit 1 for update skip locked;
  -- Read anew, as in migrate_some: somebody may have claimed it, or done it, between the question and the lock.
  select f.* into file from tenancy.migration_files f join tenancy.next_files(array[placement::text]) n on n.version = f.version
    where n.mode = 'alone' and not tenancy.is_claimed(placement, n.version, lease_seconds);
  if not found then
    return;
  end if;
  insert into tenancy.migrations as m (target, version, checksum, state, run, started_at, attempts)
    values (placement, file.version, file.checksum, 'running', claim_alone.run, clock_timestamp(), 0)
  -- The edition with which it was begun stands until it is finished: what that may have left is not what this one makes.
  on conflict on constraint migrations_pkey do update set
    checksum = case m.state when 'running' then m.checksum else excluded.checksum end, state = 'running',
    attempts = case when m.run = excluded.run then m.attempts else 0 end, run = excluded.run, started_at = excluded.started_at
  returning m.checksum <> file.checksum into is_edited;
  return next json_build_object('placement', placement, 'version', file.version, 'sql', file.sql, 'edited', is_edited,
    'mark', tenancy.statement_mark(placement, file.version));
end
$$;
comment on function tenancy.claim_alone is
  'Takes one placement whose next migration cannot run in a transaction, unless somebody else has, and says what to run there.';


create function tenancy.probe_index(placement text, on_table text, probe text) returns text
language plpgsql
as $$
declare
  definition text;
begin
  perform set_config('search_path', quote_ident(placement) || ', pg_temp', true);
  begin
    execute format('create table tenantry_probe (like %I)', on_table);
    execute probe;
    select tenancy.index_definition(i.indexrelid) into definition from pg_catalog.pg_index i where i.indrelid = 'tenantry_probe'::regclass;
    -- It was made to be looked at.
    raise exception using errcode = 'TN011';
  exception when sqlstate 'TN011' then
    null;
  end;
  perform set_config('search_path', 'pg_catalog, pg_temp', true);
  return definition;
end
$$;
comment on function tenancy.probe_index is
  'What the definition of an index would be that a statement makes on a table of a placement: by making it on an empty one that is like it, '
  'and goes again.';


create function tenancy.index_definition(index_ oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select (case when i.indisunique then 'unique' else '' end) || substring(pg_get_indexdef(i.indexrelid) from ' USING .*$')
  from pg_index i where i.indexrelid = index_
$$;
comment on function tenancy.index_definition is 'What an index is, without its name and that of its table.';


create function tenancy.index_state(placement text, index_name text, on_table text, probe text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  index_ pg_index;
begin
  select i.* into index_ from pg_class c join pg_index i on i.indexrelid = c.oid
    where c.relname = index_name::name and c.relnamespace = to_regnamespace(quote_ident(placement));
  if not found then
    return 'missing';
  elsif not index_.indisvalid then
    return 'invalid';
  elsif probe <> '' and (
    index_.indrelid is distinct from to_regclass(format('%I.%I', placement, on_table))::oid
    or tenancy.index_definition(index_.indexrelid) <> tenancy.probe_index(placement, on_table, probe)
  ) then
    return 'other';
  end if;
  return 'valid';
end
$$;
comment on function tenancy.index_state is
  'valid, invalid (left over by a build that ended early), missing, or other (not what the statement makes that is given).';


create function tenancy.finish_alone(
  run text, placement text, version text, index_name text, on_table text, probe text, wanted text, sqlstate_ text, error text
) returns json
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  found_ constant text := tenancy.index_state(placement, index_name, on_table, probe);
begin
  perform from tenancy.migration_targets t where t.target = placement::name for update;
  perform from tenancy.migrations m where m.target = placement::name and m.version = finish_alone.version
    and m.state = 'running' and m.run = finish_alone.run;
  if not found then
    return json_build_object('state', 'taken');
  elsif found_ = wanted then
    -- Whatever the answer was, this is what became of the statement.
    update tenancy.migrations m set state = 'done', checksum = (select f.checksum from tenancy.migration_files f where f.version = m.version),
      applied_at = clock_timestamp(), sqlstate = null, error = null
      where m.target = placement::name and m.version = finish_alone.version;
    perform tenancy.hide_values(i.indrelid) from pg_index i
      where i.indexrelid = to_regclass(format('%I.%I', placement, index_name))
        and exists (select from pg_policy p where p.polrelid = i.indrelid);
    return json_build_object('state', 'done', 'complete', not exists (select from tenancy.next_files(array[placement])));
  end if;
  if found_ = 'other' then
    sqlstate_ := '42P07';
    error := format('Migration %s of %s failed: there is another index %s. Drop that one, or call this one otherwise',
      version, placement, index_name);
  end if;
  perform tenancy.write_failure(placement, version, run, coalesce(sqlstate_, '55000'),
    coalesce(error, format('The index %s is %s', index_name, found_)));
  return json_build_object('state', 'failed');
end
$$;
comment on function tenancy.finish_alone is
  'Writes down what became of a statement that ran alone, as the catalog has it: done, failed, or taken over by somebody else.';


select tenancy.seal('tenancy.migrate_some(text,text[],integer,integer,integer)', 'tenancy.statement_mark(text,text)',
  'tenancy.is_claimed(name,text,integer)',
  'tenancy.claim_alone(text,text[],integer)', 'tenancy.probe_index(text,text,text)', 'tenancy.index_definition(oid)',
  'tenancy.index_state(text,text,text,text)', 'tenancy.finish_alone(text,text,text,text,text,text,text,text,text)');
