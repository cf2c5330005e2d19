-- protect(): everything that a tenant table needs, in one line of a migration.

create view tenancy.searched_classes as
  select o.oid from pg_opclass o join pg_am m on m.oid = o.opcmethod where o.opcdefault and m.amname = 'btree';

comment on view tenancy.searched_classes is
  'Operator classes whose indexes are searched by the array of a policy. By any other a statement''s own conditions would come first.';


create function tenancy.key_problems(target regclass) returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with tenant_column as (
    select attnum from pg_attribute where attrelid = target and attname = 'tenant_id' and not attisdropped
  )
  select 'has no column tenant_id text'
    where not exists (
      select from pg_attribute
      where attrelid = target and attname = 'tenant_id' and atttypid = 'text'::regtype and not attisdropped
    )
  union all
  -- It would take different texts to be equal, and one tenant for another.
  select 'has a tenant_id whose collation is not deterministic'
    where exists (
      select from pg_attribute a join pg_collation l on l.oid = a.attcollation
      where a.attrelid = target and a.attname = 'tenant_id' and not a.attisdropped and not l.collisdeterministic
    )
  union all
  select 'has no primary key'
    where not exists (select from pg_index where indrelid = target and indisprimary)
  union all
  select format('%s %I does not begin with tenant_id',
      case when i.indisprimary then 'primary key' when i.indisunique then 'unique key' else 'index' end, c.relname)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = target and i.indkey[0] is distinct from (select attnum from tenant_column)
  union all
  select format('index %I does not keep tenants apart: its method is not btree, or tenant_id has another collation or operator class in '
      'it than the column has by default', c.relname)
    from pg_index i
    join pg_class c on c.oid = i.indexrelid
    join pg_attribute a on a.attrelid = target and a.attnum = i.indkey[0] and a.attname = 'tenant_id'
    where i.indrelid = target
      and (i.indclass[0] not in (select s.oid from tenancy.searched_classes s) or i.indcollation[0] <> a.attcollation)
  union all
  select format('foreign key %I does not begin with tenant_id on both sides', k.conname)
    from pg_constraint k
    where k.contype = 'f' and k.conrelid = target
      -- Only tables of tenants have the column; a foreign key to a plain table is none of our business.
      and exists (select from pg_attribute a where a.attrelid = k.confrelid and a.attname = 'tenant_id' and not a.attisdropped)
      and (k.conkey[1] is distinct from (select attnum from tenant_column)
        or k.confkey[1] is distinct from (
          select a.attnum from pg_attribute a
          where a.attrelid = k.confrelid and a.attname = 'tenant_id' and not a.attisdropped))
  union all
  select format('exclusion constraint %I does not compare tenant_id', k.conname)
    from pg_constraint k
    where k.contype = 'x' and k.conrelid = target and not (select attnum from tenant_column) = any (k.conkey)
$$;

comment on function tenancy.key_problems is 'What keeps a table from being a tenant table: keys that could reach across tenants.';


create function tenancy.hide_values(target regclass) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- A partition has columns of its own.
  tables constant oid[] := array(select relid from pg_partition_tree(target)) || target;
  own record;
begin
  for own in
    select attrelid::regclass as relation, attname from pg_attribute
    where attrelid = any (tables) and attnum > 0 and not attisdropped and attname <> 'tenant_id' and attstattarget is distinct from 0
  loop
    execute format('alter table only %s alter %I set statistics 0', own.relation, own.attname);
  end loop;
  for own in
    select a.attrelid::regclass as relation, a.attnum
    from pg_index i join pg_attribute a on a.attrelid = i.indexrelid and i.indkey[a.attnum - 1] = 0
    where i.indrelid = any (tables) and a.attstattarget is distinct from 0
  loop
    execute format('alter index %s alter %s set statistics 0', own.relation, own.attnum);
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

  execute format('alter table %s alter tenant_id set not null', target);
  execute format('alter table %s alter tenant_id set default tenancy.current_tenant(%L)', target, home);
  execute format('alter table %s drop constraint if exists tenant_id_not_empty', target);
  execute format($sql$alter table %s add constraint tenant_id_not_empty check (tenant_id <> '')$sql$, target);

  execute format('alter table %s enable row level security', target);
  execute format('alter table %s force row level security', target);
  -- Exactly one policy: several permissive ones would add up to the widest.
  for policy in select polname from pg_policy where polrelid = target loop
    execute format('drop policy %I on %s', policy.polname, target);
  end loop;
  execute format('create policy tenant on %s using (%s) with check (%s)', target, is_tenant, is_tenant);

  execute format('drop trigger if exists fence on %s', target);
  execute format(
    'create trigger fence before insert or update or delete on %s for each statement execute function tenancy.fence()', target);
  execute format('alter table %s enable always trigger fence', target);

  perform tenancy.hide_values(target);

  execute format('revoke all on %s from public, tenantry_app', target);
  execute format('grant select, insert, update, delete on %s to tenantry_app', target);
end
$$;

comment on function tenancy.protect is
  'Makes a table a tenant table: tenant_id by default the current tenant and never empty, one policy forced on everybody, the '
  'fence, no statistics of values, and grants for reading and writing rows alone. Refuses a table whose keys could reach across '
  'tenants. May be called again after the table has changed.';
