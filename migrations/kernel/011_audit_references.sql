-- The audit of keys to tables that all tenants share: what one tenant does there reaches no row of another.

create function tenancy.shared_keys(tables oid[])
returns table (oid oid, name name, relation oid, shared oid, attnum integer)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive keys as materialized (
    select k.* from pg_constraint k
    where k.contype = 'f' and k.confrelid not in (select unnest(tables))
      and not exists (
        select from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
        where c.oid = k.confrelid and c.relrowsecurity
      )
  ), reached as (
    select k.oid, k.conname, k.conrelid, k.confrelid, a.attnum
    from keys k cross join lateral (select 0 as attnum union all select unnest(k.confkey)) a
    where k.conrelid in (select unnest(tables))
      -- Partitions repeat the keys of their parent.
      and not exists (select from pg_constraint p where p.oid = k.conparentid and p.conrelid <> k.conrelid)
    union
    -- Shared tables that reference others hand on what is done to those: a row that is deleted there is deleted or changed here.
    select r.oid, r.conname, r.conrelid, k.confrelid, a.attnum
    from reached r
    join keys k on k.conrelid = r.confrelid
    cross join lateral (
      select 0 as attnum where r.attnum = 0 and k.confdeltype = 'c' or r.attnum = any (k.conkey) and k.confdeltype in ('n', 'd')
      union all
      select unnest(k.confkey) where r.attnum = any (k.conkey) and k.confupdtype in ('c', 'n', 'd')
    ) a
  )
  select * from reached
$$;
comment on function tenancy.shared_keys is
  'Foreign keys of tenant tables to tables without tenants, each with whatever of those it depends on, directly or through more keys: that '
  'a row stays (0), and that one of its columns does.';


create function tenancy.shared_references(tables oid[])
returns table (class integer, name name, relation oid, door oid, grantee text, privilege text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with keys as materialized (
    select k.*, (select a.attname from pg_attribute a where a.attrelid = k.shared and a.attnum = k.attnum and k.attnum > 0) as column_name
    from tenancy.shared_keys(tables) k
  ), tables_ as (
    select distinct k.shared, k.shared as door from keys k
    union
    select k.shared, h.ancestor from keys k join tenancy.children h on h.inhrelid = k.shared
  ), doors as (
    select d.shared, d.door, true as is_table from tables_ d
    union
    -- A view with the rights of its caller opens nothing that is not open without it.
    select d.shared, a.view, false
    from tables_ d
    join tenancy.view_uses u on u.base = d.door and not u.is_invoker and u.relkind = 'v'
    cross join lateral (select u.view union select v.view from tenancy.views_above v where v.base = u.view) a
  ), open_keys as materialized (
    select k.*, d.door, d.is_table, g.grantee, g.privilege_type, g.column_name as granted
    from keys k
    join doors d using (shared)
    -- The fence of an offset has these few looked up one by one.
    cross join lateral (select g.* from tenancy.grants g where g.oid = d.door offset 0) g
  )
  select 12, k.name, k.relation, k.door, k.grantee, 'has ' || string_agg(distinct lower(k.privilege_type), ', '),
    format('revoke delete, update on %s from %s', k.door::regclass, k.grantee)
  from open_keys k
  where k.attnum = 0 and k.privilege_type = 'DELETE'
    or k.attnum > 0 and k.privilege_type = 'UPDATE' and (coalesce(k.granted, k.column_name) = k.column_name or not k.is_table)
  group by k.oid, k.name, k.relation, k.door, k.grantee
  union
  select 12, k.name, k.relation, d.door, r.name, 'is the owner',
    format('alter table %s owner to %s', d.door::regclass, (select nspowner::regrole from pg_namespace where nspname = 'tenancy'))
  from keys k join doors d using (shared) join pg_class c on c.oid = d.door join tenancy.open_roles r on r.oid = c.relowner
  union
  -- A row that is referenced is locked, and the number of that transaction stays in xmax.
  select 36, k.name, k.relation, k.door, k.grantee, 'has select',
    format('do $mend$ begin revoke select on %1$s from %2$s; grant select (%3$s) on %1$s to %2$s; end $mend$', k.door::regclass, k.grantee, (
      select string_agg(quote_ident(a.attname), ', ' order by a.attnum)
      from pg_attribute a where a.attrelid = k.door and a.attnum > 0 and not a.attisdropped
    ))
  from open_keys k
  where k.attnum = 0 and k.is_table and k.privilege_type = 'SELECT' and k.granted is null
    -- It is the key's own table that is locked, not what that one references.
    and k.shared = (select c.confrelid from pg_constraint c where c.oid = k.oid)
$$;
comment on function tenancy.shared_references is
  'Foreign keys that lead to a table without tenants, where application code has what it should not: DELETE, or UPDATE of what keys depend '
  'on (class 12), by which it reaches rows of all tenants, or learns that there are any; SELECT of whole rows (class 36).';


create function tenancy.audit_references(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with r as materialized (
    select r.* from (select array_agg(t.oid) as oids from tenancy.each_of(tables) t) t cross join lateral tenancy.shared_references(t.oids) r
  )
  select 12, format('constraint %I on %s', r.name, r.relation::regclass),
    format('The foreign key leads to %s, which all tenants share and where %s %s: that reaches rows of every tenant, or tells that there '
      'are any.', r.door::regclass, r.grantee, r.privilege), r.remedy
  from r where r.class = 12
  union all
  select 36, r.door::regclass::text,
    format('%s may read whole rows, also xmax: it tells which row a write of another tenant to %s has last referenced.', r.grantee,
      string_agg(distinct r.relation::regclass::text, ', ')), r.remedy
  from r where r.class = 36 group by r.door, r.grantee, r.remedy
$$;
comment on function tenancy.audit_references is 'The rest of class 12, and class 36.';
