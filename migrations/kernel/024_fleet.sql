-- The fleet: every placement of this database gets the same tenant migrations. docs/decisions/0023-a-ledger-in-each-database.md.

create table tenancy.migration_files (
  version text primary key,
  checksum text not null,
  -- In a transaction with others; alone, since it cannot run in one; or as each tenant, in batches.
  mode text not null check (mode in ('transaction', 'alone', 'each-tenant')),
  sql text not null,
  withdrawn boolean not null default false
);
revoke all on tenancy.migration_files from public;
comment on table tenancy.migration_files is
  'The tenant migrations that every placement of this database has, or gets. Here, so that no call has to carry them, and a new placement '
  'gets the newest, whoever makes it.';


comment on column tenancy.migration_files.withdrawn is
  'Whether the newest deployment has no such file, though placements have it applied: it runs in no placement that lacks it.';


create view tenancy.fleet as
  select t.target from tenancy.migration_targets t where t.target not in ('kernel', 'control') and not t.dropping;
comment on view tenancy.fleet is 'Placements that are migrated.';


create function tenancy.next_files(only_ text[]) returns table (target name, version text, mode text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select distinct on (t.target) t.target, f.version, f.mode
  from tenancy.fleet t cross join tenancy.migration_files f
  where (only_ is null or t.target::text = any (only_)) and not f.withdrawn
    and not exists (
      select from tenancy.migrations m where m.target = t.target and m.version = f.version and m.state = 'done'
    )
  order by t.target, f.version collate "C"
$$;
comment on function tenancy.next_files is 'What each placement lacks first; of all placements, or of these.';


create function tenancy.given_up(of_run text) returns setof name
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- A lock that was not to be had, a deadlock: worth two more tries.
  select m.target from tenancy.migrations m
  where m.state = 'failed' and m.run = of_run and (m.attempts >= 3 or m.sqlstate not in ('55P03', '40P01', '40001'))
$$;
comment on function tenancy.given_up is 'Placements that a run has tried in vain, and leaves alone.';


create function tenancy.fleet_left(of_run text, only_ text[]) returns setof json
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select json_build_object('mode', n.mode, 'placements', count(*)) from tenancy.next_files(only_) n
  where n.target not in (select tenancy.given_up(of_run)) group by n.mode
$$;
comment on function tenancy.fleet_left is 'How many placements a run has not done yet, by how the next migration of each runs.';


create function tenancy.run_outcome(of_run text) returns setof json
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with done as (select distinct m.target from tenancy.migrations m where split_part(m.run, '.', 1) = of_run and m.state = 'done')
  select json_build_object('done', count(*)) from done d
    where d.target not in (select n.target from tenancy.next_files(array(select target::text from done)) n)
  union all (
    select json_build_object('placement', m.target, 'version', m.version, 'sqlstate', m.sqlstate, 'error', m.error)
    from tenancy.migrations m join tenancy.fleet t using (target)
    where split_part(m.run, '.', 1) = of_run and m.state = 'failed' order by m.target, m.version
  )
$$;
comment on function tenancy.run_outcome is
  'How many placements a run has brought to where they lack nothing, and behind that where it failed, a row each; of all its slices, which '
  'have their names behind a dot. Answers to the runner get lost; this does not.';


create function tenancy.write_failure(target text, version text, run text, sqlstate_ text, error text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into tenancy.migrations as m (target, version, checksum, state, run, sqlstate, error, started_at)
    select write_failure.target, f.version, f.checksum, 'failed', write_failure.run, sqlstate_, left(write_failure.error, 1000), now()
    from tenancy.migration_files f where f.version = write_failure.version
  on conflict on constraint migrations_pkey do update set checksum = excluded.checksum, state = 'failed',
    attempts = case when m.run = excluded.run then m.attempts + 1 else 1 end,
    run = excluded.run, sqlstate = excluded.sqlstate, error = excluded.error, applied_at = excluded.applied_at
    where m.state <> 'done'
$$;
comment on function tenancy.write_failure is 'Writes down that a migration has failed in a placement, and why.';


create function tenancy.publish(files jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  edited record;
begin
  -- Waits for whoever is applying these files. Who comes later applies the new ones.
  lock table tenancy.migration_files in share row exclusive mode;
  select m.version, count(*) as placements, min(m.target::text) as example into edited
    from jsonb_to_recordset(files) f (version text, checksum text, replaces jsonb)
    join tenancy.migrations m on m.version = f.version and m.state = 'done' and m.checksum <> f.checksum
    join tenancy.fleet t on t.target = m.target
    where not exists (select from jsonb_array_elements_text(coalesce(f.replaces, '[]')) r where starts_with(m.checksum, r))
    group by m.version order by m.version limit 1;
  if found then
    raise exception 'Migration % of % was changed after it had been applied to % placements', edited.version, edited.example,
      edited.placements using errcode = 'TN009', hint = 'Restore the file, and put the change into a new migration.';
  end if;
  select b.version, count(*) as tenants, min(b.target::text) as example, min(b.checksum) as checksum into edited
    from jsonb_to_recordset(files) f (version text, checksum text, replaces jsonb)
    join tenancy.backfills b on b.version = f.version and b.checksum <> f.checksum and (b.is_done or b.rows > 0)
    join tenancy.fleet t on t.target = b.target
    where not exists (select from jsonb_array_elements_text(coalesce(f.replaces, '[]')) r where starts_with(b.checksum, r))
    group by b.version order by b.version limit 1;
  if found then
    raise exception 'Migration % was changed after it had run for % tenants, for instance in %. Restore the file until it has run for all. '
      'If what it has done may stay, say so in the file: "-- tenantry: replaces %"', edited.version, edited.tenants, edited.example,
      left(edited.checksum, 12) using errcode = 'TN009';
  end if;
  delete from tenancy.migration_files f
    where f.version not in (select value ->> 'version' from jsonb_array_elements(files))
      and not exists (select from tenancy.migrations m join tenancy.fleet t using (target) where m.version = f.version and m.state = 'done');
  -- Kept, for new placements, since they shall not lack what all others have.
  update tenancy.migration_files f set withdrawn = true
    where f.version not in (select value ->> 'version' from jsonb_array_elements(files));
  insert into tenancy.migration_files as p (version, checksum, mode, sql)
    select f.version, f.checksum, f.mode, f.sql
    from jsonb_to_recordset(files) f (version text, checksum text, mode text, sql text)
  on conflict (version) do update set checksum = excluded.checksum, mode = excluded.mode, sql = excluded.sql, withdrawn = false
    where p.checksum <> excluded.checksum or p.withdrawn;
end
$$;
comment on function tenancy.publish is
  'Makes these tenant migrations [{"version", "checksum", "mode", "sql", "replaces"}] the ones that placements of this database get, '
  'and withdraws all others. Refuses a file that was changed after it had been applied, be it for a part of the tenants, unless it says that it replaces what was applied.';


create function tenancy.files_of_new_placements() returns setof tenancy.migration_files
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select f.* from tenancy.migration_files f
  where not f.withdrawn
    or exists (select from tenancy.fleet) and not exists (
      select from tenancy.fleet t where not exists (
        select from tenancy.migrations m where m.target = t.target and m.version = f.version and m.state = 'done'
      )
    )
$$;
comment on function tenancy.files_of_new_placements is
  'What the newest deployment has published, and what it has withdrawn though every placement has it: a new one shall be as the others are.';


create function tenancy.provision(placement text) returns setof text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- Asked before the question of whose it is, or a placement that somebody makes in between would be nobody's.
  is_there constant boolean := to_regnamespace(quote_ident(placement)) is not null;
  is_dropping boolean;
begin
  if octet_length(placement) not between 1 and 63 then
    raise exception 'A schema has a name of 1 to 63 bytes, not %', placement using errcode = '42602';
  end if;
  lock table tenancy.migration_files in row exclusive mode;
  select t.dropping into is_dropping from tenancy.migration_targets t where t.target = placement::name for update;
  if is_dropping then
    raise exception 'The schema % is being dropped', placement using errcode = '55006', hint = 'Finish that first.';
  elsif placement in ('kernel', 'control') or is_dropping is null and is_there then
    raise exception 'The schema % is not for tenants', placement using errcode = '42P06';
  elsif not exists (select from tenancy.migration_files) then
    raise exception 'No migrations have been published in this database' using errcode = '55000', hint = 'Deploy first.';
  elsif is_dropping is null then
    return query select tenancy.migrate(placement, (select jsonb_agg(to_jsonb(f)) from tenancy.files_of_new_placements() f));
  end if;
end
$$;
comment on function tenancy.provision is
  'Makes a placement: its schema with all published migrations, or nothing. Returns their versions; none if there is such a placement already.';


create function tenancy.fleet_state(only_ text[], examples integer, versions integer) returns setof json
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with states as (
    select t.target, md5(coalesce(string_agg(m.version || ' ' || m.checksum, ' ' order by m.version collate "C"), '')) as digest
    from tenancy.fleet t left join tenancy.migrations m on m.target = t.target and m.state = 'done'
    where only_ is null or t.target::text = any (only_)
    group by t.target
  ), groups as (
    -- What one of them has all have.
    select min(s.target::text) as one, count(*) as placements, (array_agg(s.target order by s.target))[1:examples] as first
    from states s group by s.digest
  )
  select json_build_object('one', g.one, 'placements', g.placements, 'first', g.first, 'done', d.done)
  from groups g left join lateral (
    select p.part, json_object_agg(p.version, p.checksum) as done
    from (
      select m.version, m.checksum, (row_number() over (order by m.version collate "C") - 1) / versions as part
      from tenancy.migrations m where m.target = g.one::name and m.state = 'done'
    ) p group by p.part
  ) d on true
  order by g.one, d.part
$$;
comment on function tenancy.fleet_state is
  'What placements have, {"version": "checksum"}, by what they have: those that have the same are one group, with the names of the first. A row '
  'has so many versions at most, since rows of the Data API have their limits: rows with the same "one" are one group.';


select tenancy.seal('tenancy.migration_files', 'tenancy.fleet', 'tenancy.next_files(text[])', 'tenancy.given_up(text)',
  'tenancy.fleet_left(text,text[])', 'tenancy.run_outcome(text)',
  'tenancy.write_failure(text,text,text,text,text)', 'tenancy.publish(jsonb)',
  'tenancy.files_of_new_placements()', 'tenancy.provision(text)', 'tenancy.fleet_state(text[],integer,integer)');
