-- What has been applied where. Run before every migration, so each statement may run again.

create schema if not exists tenancy;
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
comment on table tenancy.migrations is 'Migrations applied in this database, by target and version.';

create table if not exists tenancy.migration_targets (target name primary key);
comment on table tenancy.migration_targets is
  'A row to lock for each target. An advisory lock would do for runners, but any role may take any of those, and hold up a deployment.';


create or replace function tenancy.migrate(target text, migrations jsonb) returns setof text
language plpgsql
as $$
declare
  migration record;
  applied text;
begin
  -- One runner at a time for each target, and none waits for another target.
  insert into tenancy.migration_targets values (migrate.target) on conflict do nothing;
  perform from tenancy.migration_targets t where t.target = migrate.target for update;
  if target not in ('kernel', 'control') then
    execute format('create schema if not exists %I', target);
    execute format('grant usage on schema %I to tenantry_app', target);
  end if;
  perform set_config('search_path', quote_ident(target) || ', pg_temp', true);
  for migration in
    select value ->> 'version' as version, value ->> 'checksum' as checksum, value ->> 'sql' as sql
    from jsonb_array_elements(migrations) order by value ->> 'version'
  loop
    select m.checksum into applied from tenancy.migrations m
      where m.target = migrate.target and m.version = migration.version;
    if applied is null then
      begin
        execute migration.sql;
      exception when others then
        raise exception 'Migration % of % failed: %', migration.version, target, sqlerrm using errcode = sqlstate;
      end;
      insert into tenancy.migrations (target, version, checksum)
        values (migrate.target, migration.version, migration.checksum);
      return next migration.version;
    elsif applied <> migration.checksum then
      raise exception 'Migration % of % was changed after it had been applied', migration.version, target
        using errcode = 'TN009', hint = 'Restore the file, and put the change into a new migration. A local stack can also start over in an empty data folder.';
    end if;
  end loop;
  -- Columns and indexes that a migration has added to tables which were protected before.
  perform tenancy.hide_values(p.polrelid)
  from pg_policy p join pg_class c on c.oid = p.polrelid and c.relnamespace = to_regnamespace(quote_ident(target))
  where target not in ('kernel', 'control');
end
$$;
comment on function tenancy.migrate is
  'Applies the migrations [{"version", "checksum", "sql"}] that the target lacks, all or none, and returns their versions.';


-- Made anew by every deployment, so that it is never what an earlier migration sealed.
do $$
begin
  if to_regprocedure('tenancy.seal(text[])') is not null then
    perform tenancy.seal('tenancy.migrate(text,jsonb)');
  end if;
end
$$;
