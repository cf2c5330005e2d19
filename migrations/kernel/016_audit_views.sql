-- The audit of views: none hands on with its owner's rights what its reader must not see.

create function tenancy.guarded_elsewhere(tables tenancy.tenant_tables[])
returns table (oid oid, relowner oid, is_kernel boolean, is_policed boolean, is_forced boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with t as materialized (
    select oid from tenancy.each_of(tables)
  )
  select c.oid, c.relowner, n.is_kernel, c.relrowsecurity and not exists (
      select from pg_policy p
      where p.polrelid = c.oid and p.polpermissive and tenancy.kind_of_policy(p.polqual, c.oid, n.nspname) is distinct from 'kernel'
    ), c.relforcerowsecurity
  from (
    select s.oid, s.nspname, s.nspname in ('tenancy', 'registry') as is_kernel
    from pg_namespace s
    where s.nspname not in ('pg_catalog', 'information_schema', 'pg_toast') and s.oid not in (select p.oid from tenancy.placement_schemas p)
  ) n
  -- The fence of an offset has the relations of these few schemas looked up one by one.
  cross join lateral (
    select c.* from tenancy.schema_relations r join pg_class c using (oid) where r.schema = n.oid offset 0
  ) c
  where case
      when n.is_kernel then c.relkind in ('r', 'p', 'f', 'm', 'v', 'S')
      when c.relkind not in ('r', 'p', 'f', 'm') then false
      when (select true from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped limit 1)
        or c.oid in (select h.ancestor from tenancy.children h where h.inhrelid in (select oid from t))
        then c.oid not in (select oid from t)
    end
$$;
comment on function tenancy.guarded_elsewhere is
  'What no view, function, rule or trigger may hand on with the rights of its owner, besides tenant tables: whatever they inherit from, '
  'other tables with a tenant_id, which nobody reaches otherwise, and the kernel and the registry, which no policy protects.';


create function tenancy.audit_views(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive edges as materialized (
    select * from tenancy.view_uses
  ), bases as materialized (
    -- That a tenant table has the kernel's policy is a matter of other classes.
    select t.oid, t.relowner, false as is_kernel, true as is_policed, t.relforcerowsecurity as is_forced
    from unnest(tables) t where t.oid in (select base from edges)
    union all
    select g.* from tenancy.guarded_elsewhere(tables) g where g.oid in (select base from edges)
    union all
    -- What a sequence has counted is of all tenants.
    select c.oid, c.relowner, false, false, false from pg_class c
    where c.relkind = 'S' and c.relnamespace in (select s.oid from tenancy.placement_schemas s) and c.oid in (select base from edges)
  ), readers as (
    -- Who reads a table through views with its own rights: invoker views hand on to whatever is above them.
    select e.view, e.is_invoker, b.oid as table from edges e join bases b on b.oid = e.base
    union
    select e.view, e.is_invoker, r.table from readers r join edges e on e.base = r.view where r.is_invoker
  ), above as (
    select e.view, e.view as top from edges e
    union
    select a.base, a.view from tenancy.views_above a
  )
  select 6, r.view::regclass::text,
    format('The view reads %s with the rights of %s, whom no policy binds there: whoever may read the view reads all rows.',
      string_agg(distinct t.oid::regclass::text, ', '), v.relowner::regrole),
    format('alter view %s set (security_invoker = true)', r.view::regclass)
  from readers r
  join bases t on t.oid = r.table
  join pg_class v on v.oid = r.view and v.relkind = 'v' and v.relnamespace <> 'tenancy'::regnamespace
  join pg_roles o on o.oid = v.relowner
  where not r.is_invoker
    and (o.rolsuper or o.rolbypassrls or not t.is_policed or not t.is_forced and pg_has_role(v.relowner, t.relowner, 'usage'))
    and exists (
      select from above a cross join lateral (select g.* from tenancy.grants g where g.oid = a.top offset 0) g
      -- Who may do the same with the registry itself gets nothing by a view of it.
      where a.view = r.view and not (t.is_kernel and has_table_privilege(g.role, t.oid, g.privilege_type))
    )
  group by r.view, v.relowner
  union all
  select 9, m.oid::regclass::text,
    format('%s can read the materialized view, which keeps rows of all tenants and has no policies%s.', g.grantee,
      ', through ' || nullif(m.top, m.oid)::regclass),
    format('revoke all on %s from %s', m.top::regclass, g.grantee)
  from (
    select m.oid, m.base, coalesce(a.top, m.oid) as top
    from (
      select t.oid, null::oid as base from unnest(tables) t where t.relkind = 'm'
      union
      select a.top, case when b.is_kernel then b.oid end
      from bases b join edges e on e.base = b.oid join above a on a.view = e.view join pg_class c on c.oid = a.top and c.relkind = 'm'
    ) m
    left join above a on a.view = m.oid
  ) m
  -- The fence of an offset has these few looked up one by one.
  cross join lateral (select g.* from tenancy.grants g where g.oid = m.top offset 0) g
  where m.base is null or not has_table_privilege(g.role, m.base, 'select')
  group by m.oid, m.top, g.grantee
$$;
comment on function tenancy.audit_views is 'Classes 6 and 9.';
