-- What has been applied where. Run before every migration, so each statement may run again.

do $$
begin
  create schema if not exists tenancy;
exception when unique_violation then
  -- Somebody was faster. What Postgres has cached of the catalog it forgets with the next lock, which this takes.
  perform from pg_catalog.pg_namespace where nspname = 'tenancy';
end
$$;
-- Locks the schema until the end of the transaction: runners who make the functions below anew at once would be refused.
comment on schema tenancy is 'The kernel: decides for whom a statement acts, and refuses it when that is not proven.';

-- Postgres lets everybody call a new function; here nobody may, unless a grant says so.
alter default privileges revoke execute on functions from public;


create table if not exists tenancy.migrations (
  -- kernel, control, or the placement schema to which a tenant migration was applied
  target name not null,
  version text not null,
  checksum text not null,
  applied_at timestamptz not null default clock_timestamp(),
  primary key (target, version)
);
create table if not exists tenancy.migration_targets (target name primary key);

-- Asked first, since each ALTER would wait for whoever is migrating.
do $$
begin
  if not exists (select from pg_attribute where attrelid = 'tenancy.migrations'::regclass and attname = 'state') then
    alter table tenancy.migrations
      add state text not null default 'done' check (state in ('running', 'done', 'failed')),
      add started_at timestamptz,
      add run text,
      add attempts integer not null default 1,
      add sqlstate text,
      add error text;
    alter table tenancy.migration_targets add dropping boolean not null default false;
  end if;
end
$$;
comment on table tenancy.migrations is
  'Migrations by target and version: done, failed with an error, or running over several calls. A migration without a row is pending.';
comment on column tenancy.migrations.applied_at is 'When it came into its state.';
comment on column tenancy.migrations.run is 'The run of the fleet''s runner that did it last, and behind a dot its slice, which tries what failed for good once.';
comment on table tenancy.migration_targets is
  'A row to lock for each target. An advisory lock would do for runners, but any role may take any of those, and hold up a deployment.';
comment on column tenancy.migration_targets.dropping is 'Whether the placement is being dropped: it is migrated no more.';


create or replace function tenancy.hide_new_values(target text) returns void
language plpgsql
as $$
begin
  -- What this transaction has made or altered it holds a strong lock on. No index of the catalog leads from a schema to its tables.
  perform tenancy.hide_values(r.oid)
  from (
    select distinct coalesce(pg_partition_root(l.relation), l.relation) as oid
    from pg_locks l
    where l.pid = pg_backend_pid() and l.locktype = 'relation'
      and l.mode not in ('AccessShareLock', 'RowShareLock', 'RowExclusiveLock')
      -- One by one: how many relations are locked no plan knows, and a join might read all there are.
      and (select c.relnamespace from pg_class c where c.oid = l.relation) = to_regnamespace(quote_ident(target))
  ) r
  where exists (select from pg_policy p where p.polrelid = r.oid);
end
$$;
comment on function tenancy.hide_new_values is
  'Keeps values out of the statistics of columns and indexes that migrations of this transaction have added to protected tables.';


create or replace function tenancy.apply_migration(target text, version text, checksum text, sql text, run text) returns void
language plpgsql
as $$
declare
  started_at constant timestamptz := clock_timestamp();
begin
  perform set_config('search_path', quote_ident(target) || ', pg_temp', true);
  begin
    execute sql;
    -- What the migration has deferred fails here, with its name, and not when all is done.
    set constraints all immediate;
  exception when others then
    raise exception 'Migration % of % failed: %', version, target, sqlerrm using errcode = sqlstate;
  end;
  insert into tenancy.migrations as m (target, version, checksum, started_at, run)
    values (target, version, checksum, started_at, run)
  on conflict on constraint migrations_pkey do update set checksum = excluded.checksum, state = 'done',
    started_at = excluded.started_at, applied_at = excluded.applied_at, run = excluded.run, sqlstate = null, error = null;
end
$$;
comment on function tenancy.apply_migration is 'Runs a migration in a target and writes it down as done. Raises when it fails.';


create or replace function tenancy.migrate(target text, migrations jsonb) returns setof text
language plpgsql
as $$
declare
  migration record;
  applied text;
  is_new constant boolean := not exists (select from tenancy.migrations m where m.target = migrate.target and m.state = 'done');
  is_placement constant boolean := target not in ('kernel', 'control');
begin
  -- One runner at a time for each target, and none waits for another target.
  insert into tenancy.migration_targets values (migrate.target) on conflict do nothing;
  perform from tenancy.migration_targets t where t.target = migrate.target for update;
  if is_placement then
    execute format('create schema if not exists %I', target);
    execute format('grant usage on schema %I to tenantry_app', target);
  end if;
  for migration in
    select value ->> 'version' as version, value ->> 'checksum' as checksum, value ->> 'sql' as sql,
      coalesce(value ->> 'mode', 'transaction') as mode, coalesce(value -> 'replaces', '[]') as replaces
    from jsonb_array_elements(migrations) order by (value ->> 'version') collate "C"
  loop
    select m.checksum into applied from tenancy.migrations m
      where m.target = migrate.target and m.version = migration.version and m.state = 'done';
    if applied is null then
      if migration.mode <> 'transaction' and not is_new then
        raise exception 'Migration % of % takes more than one transaction', migration.version, target
          using errcode = '55000', hint = 'Run it with "npm run tenant -- migrate", or deploy.';
      end if;
      perform tenancy.apply_migration(target, migration.version, migration.checksum, case migration.mode
        when 'transaction' then migration.sql
        -- There is nobody yet whom a lock keeps waiting, and no tenant with rows.
        when 'alone' then regexp_replace(migration.sql, '[[:<:]](index\s+)concurrently[[:>:]]', '\1', 'gi')
        else '' end, null);
      return next migration.version;
    elsif applied <> migration.checksum
      and not exists (select from jsonb_array_elements_text(migration.replaces) r where starts_with(applied, r)) then
      raise exception 'Migration % of % was changed after it had been applied', migration.version, target
        using errcode = 'TN009', hint = 'Restore the file, and put the change into a new migration. A local stack can also start over in an empty data folder.';
    end if;
  end loop;
  if is_placement then
    perform tenancy.hide_new_values(target);
  end if;
end
$$;
comment on function tenancy.migrate is
  'Applies the migrations [{"version", "checksum", "sql", "mode", "replaces"}] that the target lacks, all or none, and returns their versions.';


-- Made anew by every deployment, so that they are never what an earlier migration sealed.
do $$
begin
  if to_regprocedure('tenancy.seal(text[])') is not null then
    perform tenancy.seal('tenancy.migrate(text,jsonb)', 'tenancy.hide_new_values(text)',
      'tenancy.apply_migration(text,text,text,text,text)');
  end if;
end
$$;
