-- protect(): everything that a tenant table needs, in one line of a migration.

create function tenancy.forget_values(family oid[]) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  kept record;
begin
  for kept in
    with relations as (
      select unnest(family) as oid
      union all
      select i.indexrelid from pg_index i where i.indrelid = any (family) and i.indexprs is not null
    ), analyzed as (
      -- Of an index the columns that its expressions read: with their type it is made anew.
      select c.oid, c.relkind, s.attname
      from relations r
      join pg_class c using (oid)
      join pg_namespace n on n.oid = c.relnamespace
      -- By names, since Postgres shows statistics in no other way. The fence of an offset has them looked up one by one.
      cross join lateral (
        select v.attname from pg_stats v where v.schemaname = n.nspname and v.tablename = c.relname offset 0
      ) s
      where s.attname <> 'tenant_id' or c.relkind = 'i'
    ), columns as (
      select a.attrelid, a.attname from analyzed n join pg_attribute a on a.attrelid = n.oid and a.attname = n.attname where n.relkind <> 'i'
      union
      select a.attrelid, a.attname
      from analyzed n
      join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = n.oid and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
      join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid and a.attname <> 'tenant_id'
      where n.relkind = 'i'
    )
    -- What is inherited is altered where it comes from: the first of the family.
    select distinct case when a.attinhcount > 0 then family[1] else a.attrelid end::regclass as relation, a.attname,
      format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || nullif(a.attcollation, 0)::regcollation, '') as type
    from columns c join pg_attribute a using (attrelid, attname)
  loop
    begin
      -- Postgres has no statement that forgets statistics. Of a column whose type is set it forgets them, also where it stays the same.
      execute format('alter table %s alter %I type %s', kept.relation, kept.attname, kept.type);
    exception when others then
      raise exception 'The table % has statistics of values in %, which Postgres does not forget: %', kept.relation, kept.attname, sqlerrm
        using errcode = 'TN008', hint = 'Drop what depends on the column, and make it again afterwards. Or make the table anew, and '
          'protect it before it is filled.';
    end;
  end loop;
end
$$;

comment on function tenancy.forget_values is
  'Takes out of the statistics what ANALYZE has put there of these tables, a parent first. Postgres shows its owner what that is unless '
  'policies bind him.';


create function tenancy.analyzed_columns(family oid[]) returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select format('table only %s alter %I', attrelid::regclass, attname) from pg_attribute
  where attrelid = any (family) and attnum > 0 and not attisdropped and attname <> 'tenant_id' and attstattarget is distinct from 0
  union all
  select format('index %s alter %s', a.attrelid::regclass, a.attnum)
  from pg_index i join pg_attribute a on a.attrelid = i.indexrelid and i.indkey[a.attnum - 1] = 0
  where i.indrelid = any (family) and a.attstattarget is distinct from 0
$$;

comment on function tenancy.analyzed_columns is
  'Columns of these tables, and of their indexes those that are expressions, of which ANALYZE would keep values: as ALTER names them.';


create function tenancy.hide_values(target regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  family constant oid[] := target::oid || array(select f.oid from tenancy.family(target) f (oid) where f.oid <> target);
  forced constant oid[] := array(select c.oid from pg_class c where c.oid = any (family) and c.relforcerowsecurity);
  problem text;
  own text;
begin
  for problem in select format('%I.%I', stxnamespace::regnamespace, stxname) from pg_statistic_ext where stxrelid = any (family) loop
    raise exception 'The table % has the extended statistics %, which hold values of all tenants', target, problem using errcode = 'TN008',
      hint = 'Drop them.';
  end loop;
  -- What ANALYZE may look at, it may have looked at; at all, before the table was protected.
  if target::oid <> all (forced) or exists (select from tenancy.analyzed_columns(family)) then
    for own in select unnest(forced)::regclass loop
      execute format('alter table %s no force row level security', own);
    end loop;
    perform tenancy.forget_values(family);
    for own in select unnest(forced)::regclass loop
      execute format('alter table %s force row level security', own);
    end loop;
  end if;
  -- Only now: indexes that were made anew have forgotten what ANALYZE may do as well.
  for own in select tenancy.analyzed_columns(family) loop
    execute format('alter %s set statistics 0', own);
  end loop;
end
$$;

comment on function tenancy.hide_values is
  'Keeps values of a table out of the statistics, which the planner uses for every tenant: what it takes for cheaper would tell them.';


create function tenancy.protect(target regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  home constant name := (
    select n.nspname from pg_class c join pg_namespace n on n.oid = c.relnamespace where c.oid = target
  );
  problem text;
  policy record;
  -- An array of one, since Postgres takes everything that is said to be equal to a column for the same: it would compare the tenant with
  -- what a statement says of tenant_id, once, and the rows with that, which a statement can change meanwhile.
  is_tenant constant text := format('tenant_id = any (array[(select tenancy.current_tenant(%L))])', home);
begin
  for problem in select * from tenancy.key_problems(target) loop
    raise exception 'The table % %', target, problem using errcode = 'TN008',
      hint = 'Every key of a tenant table begins with tenant_id, so that no two tenants can meet in it.';
  end loop;
  for problem in select format('foreign key %I leads to %s, where %s %s', r.name, r.door::regclass, r.grantee, r.privilege)
    from tenancy.shared_references(array[target]) r
    -- Few tables have such a key, and to follow it all keys are read.
    where r.class = 12 and exists (
      select from pg_constraint k
      where k.contype = 'f' and k.conrelid = target
        and not exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'tenant_id' and not a.attisdropped)
    )
  loop
    raise exception 'The table %: its %', target, problem using errcode = 'TN008',
      hint = 'What tenants share, none of them may delete or rename: that would reach rows of the others.';
  end loop;

  execute format('alter table %s alter tenant_id set not null', target);
  execute format('alter table %s alter tenant_id set default tenancy.current_tenant(%L)', target, home);
  execute format('alter table %s drop constraint if exists tenant_id_not_empty', target);
  execute format($sql$alter table %s add constraint tenant_id_not_empty check (tenant_id <> '')$sql$, target);

  -- Exactly one policy: several permissive ones would add up to the widest, and restrictive ones see rows before it does.
  for policy in select polname from pg_policy where polrelid = target loop
    execute format('drop policy %I on %s', policy.polname, target);
  end loop;
  -- While no policy binds the owner, he is shown which values statistics have from before.
  execute format('alter table %s no force row level security', target);
  perform tenancy.hide_values(target);
  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  -- USING serves for what is written as well. Said once more, as WITH CHECK, it would be kept, and read, twice.
  execute format('create policy tenant on %s using (%s)', target, is_tenant);

  execute format('drop trigger if exists fence on %s', target);
  execute format(
    'create trigger fence before insert or update or delete on %s for each statement execute function tenancy.fence()', target);
  execute format('alter table %s enable always trigger fence', target);

  execute format('revoke all on %s from public, tenantry_app', target);
  execute format('grant select, insert, update, delete on %s to tenantry_app', target);
end
$$;

comment on function tenancy.protect is
  'Makes a table a tenant table: tenant_id by default the current tenant and never empty, one policy forced on everybody, the '
  'fence, no statistics of values, and grants for reading and writing rows alone. Refuses a table whose keys could reach across '
  'tenants. May be called again after the table has changed.';
