-- The audit of functions that run SQL which they have as text.

create function tenancy.audit_text() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with functions as materialized (
    select p.oid, p.proacl, p.proowner from pg_proc p
    where p.oid >= 16384 and not p.prosecdef and p.pronamespace <> 'tenancy'::regnamespace
      and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
      -- Those of extensions are a matter of class 31.
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
      and tenancy.is_unreadable(p.prolang, tenancy.code_of(p.oid))
  )
  select 35, f.oid::regprocedure::text,
    format('%s may have the function run SQL, under whatever settings a statement has made before, or look at rows: policies do not come first.',
      r.name),
    format('revoke execute on routine %s from %s', f.oid::regprocedure, r.name)
  from functions f
  cross join lateral aclexplode(coalesce(f.proacl, acldefault('f', f.proowner))) a
  join tenancy.open_roles r on r.oid = a.grantee
  where a.privilege_type = 'EXECUTE'
$$;
comment on function tenancy.audit_text is
  'Class 35. tenancy.enter plans a statement so that policies come first, and refuses what would plan another; these functions would.';
