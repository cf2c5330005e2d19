-- The audit of functions, triggers and rules that run with the rights of an owner.

create function tenancy.words_of(body text) returns table (qualifier text, name text, is_call boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- format() fills in a schema that nobody knows beforehand, so a name behind a placeholder counts as unqualified.
  select distinct lower(m[1]), lower(m[2]), m[3] is not null
  from regexp_replace(replace(body, '"', ''), '%(\d+\$)?-?\d*[IsL]\s*\.', ' ', 'g') text,
    regexp_matches(regexp_replace(text, '\s*\.\s*', '.', 'g'), '(?:([[:alpha:]_][\w$]*)\.)?([[:alpha:]_][\w$]*)(\s*\()?', 'g') m
$$;
comment on function tenancy.words_of is
  'What could be names in code, each with what stands before its dot, also in strings: it sees what dynamic SQL spells out.';


create function tenancy.definer_code() returns table (root oid, language oid, body text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive roots as materialized (
    select d.oid, d.search_path from tenancy.definer_functions() d
  ), code as (
    select r.oid as root, r.oid from roots r
    union
    select c.root, p.oid
    from code c
    cross join lateral tenancy.words_of(tenancy.code_of(c.oid)) w
    cross join lateral (
      select p.oid, p.pronamespace from pg_proc p where w.is_call and p.proname = w.name and p.oid >= 16384
      union all
      -- What writes a table has its triggers run.
      select g.tgfoid, t.relnamespace from pg_class t join pg_trigger g on g.tgrelid = t.oid and not g.tgisinternal
      where t.relname = w.name and t.relnamespace is distinct from to_regnamespace('registry')
        and g.tgfoid <> 'tenancy.fence()'::regprocedure
    ) p
    join pg_namespace n on n.oid = p.pronamespace and n.nspname <> 'tenancy'
    where coalesce(w.qualifier = lower(n.nspname), true)
      and p.oid::regprocedure::text not in (select s.object from tenancy.sealed s)
  )
  -- A name without its schema may be found on the path.
  select c.root, p.prolang, concat_ws(' ', tenancy.code_of(c.oid), r.search_path, array_to_string(p.proconfig, ' '))
  from code c join roots r on r.oid = c.root join pg_proc p on p.oid = c.oid
$$;
comment on function tenancy.definer_code is
  'Text that runs with the rights of a SECURITY DEFINER function''s owner: its own, and that of functions that it calls by name.';


create function tenancy.named_by_definers(tables tenancy.tenant_tables[]) returns table (root oid, objects text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with code as materialized (
    select c.root, c.body from tenancy.definer_code() c
  ), words as materialized (
    select distinct c.root, w.* from code c cross join lateral tenancy.words_of(c.body) w
  ), guarded as materialized (
    select t.oid, false as is_kernel from tenancy.each_of(tables) t
    union all
    select g.oid, g.is_kernel from tenancy.guarded_elsewhere(tables) g
  ), relations as materialized (
    select c.oid, n.nspname, g.is_kernel, lower(n.nspname) as schema, lower(c.relname) as name
    from (
      select g.oid, g.is_kernel from guarded g
      union
      select a.view, false from guarded g join tenancy.views_above a on a.base = g.oid
    ) g
    join pg_class c on c.oid = g.oid
    join pg_namespace n on n.oid = c.relnamespace
  ), named as (
    select w.root, r.oid::regclass::text as object, r.is_kernel, w.qualifier, r.schema
    from words w join relations r on r.name = w.name
    union
    select c.root, r.oid::regclass::text, r.is_kernel, r.schema, r.schema
    from code c join relations r on r.name !~ '^[[:alpha:]_][\w$]*$' and position(r.name in lower(c.body)) > 0
    union
    select w.root, p.oid::regprocedure::text, true, w.qualifier, n.nspname
    from words w
    join pg_proc p on p.proname = w.name
    join pg_namespace n on n.oid = p.pronamespace and n.nspname in ('tenancy', 'registry')
    -- What functions of tenants may call, everybody may; the rest only who has a right to it himself.
    where w.is_call and not has_function_privilege('tenantry_app', p.oid, 'execute') and (
      exists (select from tenancy.callers(w.root) c where not has_function_privilege(c.role, p.oid, 'execute'))
      -- To have these run, nobody needs a right to call them.
      or w.root in (select f.oid from pg_proc f where f.prorettype in ('trigger'::regtype, 'event_trigger'::regtype))
    )
  )
  select x.root, string_agg(x.object, ', ' order by x.object)
  from (
    select n.root, n.object, row_number() over (partition by n.root order by n.object) as number
    from named n
    where n.qualifier = n.schema
      -- Words like those that the kernel uses are common, so they count where its schema is named too.
      or n.qualifier is null and (not n.is_kernel or exists (
        select from words s where s.root = n.root and s.name = n.schema and s.qualifier is null))
    group by n.root, n.object
  ) x
  where x.number <= 5
  group by x.root
$$;
comment on function tenancy.named_by_definers is
  'What no owner''s rights may hand on and SECURITY DEFINER functions name all the same, five at most: tables, views above them, '
  'functions of the kernel that whoever calls them may not call by himself.';


create function tenancy.is_unreadable(language oid, body text) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select l.lanispl and l.lanname <> 'plpgsql'
    or tenancy.evades_policies(body) or body ~* '\m((crosstab\w*|connectby|xpath_table|dblink\w*)\M|u&'')'
    -- Nothing but a constant, in which names can be seen.
    or l.lanname = 'plpgsql' and case when body ~ '\\|\$\w*\$' then body else regexp_replace(body, '''[^'']*''', '''''', 'g') end
      ~* '\mexecute\M(?!\s+on\M|\s*''''\s*(;|into\M|using\M|loop\M))'
  from pg_language l where l.oid = language
$$;
comment on function tenancy.is_unreadable is
  'Whether code runs SQL that is put together as it runs, calls what policies do not come before, hides names in Unicode escapes, or is in a '
  'language that cannot be read here.';


create function tenancy.definer_problems(tables tenancy.tenant_tables[])
returns table (oid oid, is_trigger boolean, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with functions as materialized (
    select d.*, r.rolsuper or r.rolbypassrls as is_bypass, n.objects, exists (
        select from tenancy.definer_code() c where c.root = d.oid and tenancy.is_unreadable(c.language, c.body)
      ) as is_dynamic
    from tenancy.definer_functions() d
    join pg_roles r on r.oid = d.owner
    left join tenancy.named_by_definers(tables) n on n.root = d.oid
  )
  select f.oid, f.is_trigger,
    case
      when f.is_bypass
        then format('The SECURITY DEFINER function has the rights of %s, whom policies do not bind.', f.owner::regrole)
      when f.objects is not null
        then format('The SECURITY DEFINER function, or one that it calls, names %s and acts there with the rights of %s.', f.objects,
          f.owner::regrole)
      when f.is_dynamic
        then format('The SECURITY DEFINER function, or one that it calls, runs with the rights of %s what cannot be read in its text.',
          f.owner::regrole)
      else 'The SECURITY DEFINER function has no search_path that ends with pg_temp: a caller''s own objects can stand in for '
        'those that it means.'
    end,
    case
      when f.is_bypass or f.objects is not null or f.is_dynamic then format('alter routine %s security invoker', f.oid::regprocedure)
      else format('alter routine %s set search_path = %s, pg_temp', f.oid::regprocedure, coalesce(
        f.search_path, (select p.pronamespace::regnamespace::text from pg_proc p where p.oid = f.oid)))
    end
  from functions f
  where f.is_bypass or f.objects is not null or f.is_dynamic or not f.is_pinned
$$;
comment on function tenancy.definer_problems is 'What is wrong with SECURITY DEFINER functions that application code can run.';


create function tenancy.audit_functions(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with t as materialized (
    select oid, relowner from tenancy.each_of(tables)
  ), definers as materialized (
    select * from tenancy.definer_problems(tables)
  )
  select 7, d.oid::regprocedure::text, d.problem, d.remedy from definers d where not d.is_trigger
  union all
  select 8, format('trigger %I on %s', g.tgname, t.oid::regclass),
    format('The trigger''s function %s runs with the rights of %s, whoever writes.', p.oid::regprocedure, p.proowner::regrole),
    format('alter function %s security invoker', p.oid::regprocedure)
  from pg_proc p
  join pg_trigger g on g.tgfoid = p.oid and not g.tgisinternal
  join t on t.oid = g.tgrelid
  where p.prosecdef and p.prorettype = 'trigger'::regtype and p.oid <> 'tenancy.fence()'::regprocedure
  union all
  select 8, format('trigger %I on %s', g.tgname, g.tgrelid::regclass), d.problem, d.remedy
  from definers d
  join pg_trigger g on g.tgfoid = d.oid and not g.tgisinternal
  where d.is_trigger and g.tgrelid not in (select oid from t) and tenancy.is_writable(g.tgrelid)
  union all
  select 8, format('rule %I on %s', r.rulename, t.oid::regclass),
    format('The rule reads and writes with the rights of the table''s owner %s.', t.relowner::regrole),
    format('drop rule %I on %s', r.rulename, t.oid::regclass)
  from pg_rewrite r join t on t.oid = r.ev_class
  where r.rulename <> '_RETURN'
  union all
  select 8, format('rule %I on %s', r.rulename, c.oid::regclass),
    format('The rule acts on %s with the rights of %s, whoever writes.', string_agg(distinct d.refobjid::regclass::text, ', '),
      c.relowner::regrole),
    format('drop rule %I on %s', r.rulename, c.oid::regclass)
  from pg_rewrite r
  -- With the owner's rights also where the rule is that of a view with security_invoker, which speaks of reading alone.
  join pg_class c on c.oid = r.ev_class and c.oid >= 16384
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
  where r.rulename <> '_RETURN' and c.oid not in (select oid from t)
    and exists (
      select from (select t.oid from t union select e.oid from tenancy.guarded_elsewhere(tables) e) g
      where g.oid = d.refobjid or g.oid in (select a.base from tenancy.views_above a where a.view = d.refobjid)
    )
    -- Asked of rules, of which there are few; of "c" Postgres would ask it for each relation there is.
    and d.refobjid <> c.oid and tenancy.is_writable(r.ev_class)
  group by r.oid, r.rulename, c.oid, c.relowner
  union all
  select 25, p.oid::regprocedure::text, 'The function is LEAKPROOF: Postgres may run it on rows before their policy has hidden them.',
    format('alter function %s not leakproof', p.oid::regprocedure)
  from pg_proc p where p.proleakproof and p.oid >= 16384
$$;
comment on function tenancy.audit_functions is 'Classes 7, 8 and 25.';
