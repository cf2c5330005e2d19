-- The audit of code in the database: views, functions, triggers and rules that run with the rights of an owner.

create function tenancy.audit_views(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive edges as materialized (
    select distinct v.oid as view, d.refobjid as base, v.relkind, v.relowner, coalesce(o.is_invoker, false) as is_invoker
    from pg_rewrite r
    join pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm') and v.oid >= 16384
    join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
      and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
    left join lateral (
      select option_value::boolean as is_invoker from pg_options_to_table(v.reloptions) where option_name = 'security_invoker'
    ) o on true
  ), bases as materialized (
    select t.* from unnest(tables) t where t.oid in (select base from edges)
  ), readers as (
    -- Who reads a table through views with its own rights: invoker views hand on to whatever is above them.
    select e.view, e.is_invoker, b.oid as table from edges e join bases b on b.oid = e.base
    union
    select e.view, e.is_invoker, r.table from readers r join edges e on e.base = r.view where r.is_invoker
  ), above as (
    select e.view, e.view as top from edges e
    union
    select a.view, e.view from above a join edges e on e.base = a.top
  ), over_tables as (
    select e.view from edges e join bases b on b.oid = e.base
    union
    select e.view from over_tables o join edges e on e.base = o.view
  )
  select 6, r.view::regclass::text,
    format('The view reads %s with the rights of %s, whom policies do not bind: whoever may read the view reads all rows.',
      string_agg(distinct t.oid::regclass::text, ', '), v.relowner::regrole),
    format('alter view %s set (security_invoker = true)', r.view::regclass)
  from readers r
  join bases t on t.oid = r.table
  join pg_class v on v.oid = r.view and v.relkind = 'v'
  join pg_roles o on o.oid = v.relowner
  where not r.is_invoker
    and (o.rolsuper or o.rolbypassrls or not t.relforcerowsecurity and pg_has_role(v.relowner, t.relowner, 'usage'))
    and exists (select from above a join tenancy.grants g on g.oid = a.top where a.view = r.view)
  group by r.view, v.relowner
  union all
  select 9, m.oid::regclass::text,
    format('%s can read the materialized view, which keeps rows of all tenants and has no policies.', g.grantee),
    format('revoke all on %s from %s', m.oid::regclass, g.grantee)
  from (
    select t.oid from unnest(tables) t where t.relkind = 'm'
    union
    select o.view from over_tables o join pg_class c on c.oid = o.view and c.relkind = 'm'
  ) m
  join tenancy.grants g on g.oid = m.oid
  group by m.oid, g.grantee
$$;
comment on function tenancy.audit_views is 'Classes 6 and 9.';


create function tenancy.tables_read_by(body text, function oid, tables tenancy.tenant_tables[]) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with names as (
    -- format() fills in a schema that nobody knows beforehand, so a name behind a placeholder counts as unqualified.
    select distinct lower(m[1]) as qualifier, lower(m[2]) as name
    from regexp_replace(replace(body, '"', ''), '%(\d+\$)?[IsL]\.', ' ', 'g') text,
      regexp_matches(text, '(?:([a-z_][\w$]*)\.)?([a-z_][\w$]*)', 'gi') m
  ), relations as (
    select c.oid from names n
    join pg_class c on c.relname = n.name and (n.qualifier is null or c.relnamespace = to_regnamespace(n.qualifier))
    union
    -- The body of a function in SQL-standard form is no text, but its dependencies are known.
    select d.refobjid from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = function
      and d.refclassid = 'pg_class'::regclass
  )
  select string_agg(r.oid::regclass::text, ', ' order by r.oid::regclass::text)
  from (select r.oid from relations r where r.oid in (select t.oid from unnest(tables) t) order by r.oid limit 5) r
$$;
comment on function tenancy.tables_read_by is
  'Tenant tables that a function names, five at most: by their names in its text, which sees what dynamic SQL spells out but not '
  'what it puts together.';


create function tenancy.audit_functions(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with t as materialized (
    select oid, relowner from tenancy.each_of(tables)
  )
  select 7, f.oid::regprocedure::text,
    case
      when f.reads is not null
        then format('The SECURITY DEFINER function names %s and acts there with the rights of %s.', f.reads, f.owner::regrole)
      else 'The SECURITY DEFINER function has no search_path that ends with pg_temp: a caller''s own objects can stand in for '
        'those that it means.'
    end,
    case
      when f.reads is not null then format('alter function %s security invoker', f.oid::regprocedure)
      else format('alter function %s set search_path = %s, pg_temp', f.oid::regprocedure, coalesce(
        f.search_path, (select p.pronamespace::regnamespace::text from pg_proc p where p.oid = f.oid)))
    end
  from (select d.*, tenancy.tables_read_by(d.body, d.oid, tables) as reads from tenancy.definer_functions() d) f
  where f.reads is not null or not f.is_pinned
  union all
  select 8, format('trigger %I on %s', g.tgname, t.oid::regclass),
    format('The trigger''s function %s runs with the rights of %s, whoever writes.', p.oid::regprocedure, p.proowner::regrole),
    format('alter function %s security invoker', p.oid::regprocedure)
  from pg_proc p
  join pg_trigger g on g.tgfoid = p.oid and not g.tgisinternal
  join t on t.oid = g.tgrelid
  where p.prosecdef and p.prorettype = 'trigger'::regtype and p.oid <> 'tenancy.fence()'::regprocedure
  union all
  select 8, format('rule %I on %s', r.rulename, t.oid::regclass),
    format('The rule reads and writes with the rights of the table''s owner %s.', t.relowner::regrole),
    format('drop rule %I on %s', r.rulename, t.oid::regclass)
  from pg_rewrite r join t on t.oid = r.ev_class
  where r.rulename <> '_RETURN'
  union all
  select 25, p.oid::regprocedure::text, 'The function is LEAKPROOF: Postgres may run it on rows before their policy has hidden them.',
    format('alter function %s not leakproof', p.oid::regprocedure)
  from pg_proc p where p.proleakproof and p.oid >= 16384
$$;
comment on function tenancy.audit_functions is 'Classes 7, 8 and 25.';


create function tenancy.audit_kernel() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with kernel as (
    select oid, nspowner from pg_namespace where nspname = 'tenancy'
  )
  select 20, coalesce(d.object, s.object),
    case when s.object is null then 'No migration has sealed this object of the kernel: a stranger is there, or a migration forgot to.'
      when d.object is null then 'The object of the kernel is gone.'
      else 'The object of the kernel is not what migrations made it, and proves nothing any more.' end,
    case when s.object is null then format('drop %s %s', d.kind, d.object) else s.definition end
  from tenancy.definitions d full join tenancy.sealed s using (object)
  where d.definition is distinct from s.definition
  union all
  select 20, d.object, format('The object of the kernel belongs to %s, who can replace it.', d.owner::regrole),
    format('alter %s %s owner to %s', d.kind, d.object, k.nspowner::regrole)
  from tenancy.definitions d, kernel k where d.owner <> k.nspowner
  union all
  select 20, c.oid::regclass::text, format('The table of the kernel belongs to %s, who can rewrite it.', c.relowner::regrole),
    format('alter table %s owner to %s', c.oid::regclass, k.nspowner::regrole)
  from kernel k join pg_class c on c.relnamespace = k.oid and c.relkind in ('r', 'p') and c.relowner <> k.nspowner
$$;
comment on function tenancy.audit_kernel is 'Class 20.';
