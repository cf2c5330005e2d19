-- The audit of roles: what application code logs in as can neither step over policies nor make objects where names are looked up.

create function tenancy.audit_powers(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive owners as materialized (
    select distinct t.relowner as oid from unnest(tables) t
    union
    select nspowner from pg_namespace where nspname = 'tenancy'
  ), kernel as (
    select nspowner as oid from pg_namespace where nspname = 'tenancy'
  ), memberships as (
    -- A role reaches through each of its memberships whatever that role is a member of.
    select g.oid, g.member, g.roleid, g.grantor, g.roleid as reached, a.is_application
    from (select oid, true as is_application from tenancy.application_roles union all select oid, false from kernel) a
    join pg_auth_members g on g.member = a.oid
    union
    select m.oid, m.member, m.roleid, m.grantor, g.roleid, m.is_application
    from memberships m join pg_auth_members g on g.member = m.reached
  )
  select 4, format('role %I', r.rolname),
    case when r.rolsuper then 'A superuser' when r.rolbypassrls then 'A role with BYPASSRLS' else 'A role with REPLICATION' end
      || ' reads all rows, whatever policies say.',
    format('alter role %I%s nobypassrls noreplication', r.rolname, case when r.rolsuper then ' nosuperuser' end)
  from pg_roles r
  where (r.rolsuper or r.rolbypassrls) and r.oid in (select oid from kernel)
    or (r.rolsuper or r.rolbypassrls or r.rolreplication) and r.oid in (select a.oid from tenancy.application_roles a)
    -- Superusers there always are; another role with BYPASSRLS matters once it has privileges on a table of tenants.
    or r.rolbypassrls and not r.rolsuper and exists (
      select from unnest(tables) t where has_table_privilege(r.oid, t.oid, 'select, insert, update, delete')
    )
  union all
  select 4, format('role %I', r.rolname), 'An application role that may make roles or databases makes itself one that sees more.',
    format('alter role %I nocreaterole nocreatedb', r.rolname)
  from pg_roles r
  where (r.rolcreaterole or r.rolcreatedb) and r.oid in (select a.oid from tenancy.application_roles a)
  union all
  select 4, t.oid::regclass::text, format('The owner %s is not bound by policies, nor is what runs with its rights.', r.rolname),
    format('alter table %s owner to %s', t.oid::regclass, (select oid::regrole from kernel))
  from unnest(tables) t join pg_roles r on r.oid = t.relowner and (r.rolsuper or r.rolbypassrls)
  where r.oid not in (select oid from kernel union all select a.oid from tenancy.application_roles a)
  union all
  select 4, format('role %s', m.member::regrole),
    format('The role can become %s, which sees all rows, owns the tables, or makes roles.', string_agg(distinct r.rolname, ', ')),
    format('revoke %s from %s granted by %s', m.roleid::regrole, m.member::regrole, m.grantor::regrole)
  from memberships m join pg_roles r on r.oid = m.reached
  where (r.rolsuper or r.rolbypassrls or r.rolname = 'rds_superuser'
      or m.is_application and (r.rolreplication or r.rolcreaterole or r.rolcreatedb or r.oid in (select oid from owners)))
    and not exists (select from tenancy.application_roles a where a.oid = m.reached)
  group by m.oid, m.member, m.roleid, m.grantor
$$;
comment on function tenancy.audit_powers is 'Class 4.';


create function tenancy.code_of(function oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Strings come before what looks like a comment in them. Where escapes, dollar quotes or comments in comments could mislead, all
  -- of the text stays.
  select case when c.body ~ '\\|\$\w*\$' or s.body ~ '\*/' then c.body else s.body end
  from pg_proc p
  cross join lateral (select coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) as body) c
  cross join lateral regexp_replace(c.body, $re$('[^']*'|"[^"]*")|--[^\n\r]*|/\*([^*]|\*+[^*/])*\*+/$re$, '\1 ', 'g') s (body)
  where p.oid = function
$$;
comment on function tenancy.code_of is 'The text of a function without its comments.';


create function tenancy.callers(function oid) returns table (role oid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select r.oid
  from pg_proc p
  cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  join tenancy.open_roles r on r.oid = a.grantee
  where a.privilege_type = 'EXECUTE'
    -- Who calls an aggregate needs no right to call what it is made of.
    and p.oid in (select function union all select g.aggfnoid from pg_aggregate g where function in (
      g.aggtransfn, g.aggfinalfn, g.aggcombinefn, g.aggserialfn, g.aggdeserialfn, g.aggmtransfn, g.aggminvtransfn, g.aggmfinalfn))
$$;
comment on function tenancy.callers is 'Roles of application code that may call a function, by itself or by an aggregate that is made of it.';


create function tenancy.definer_functions()
returns table (oid oid, owner oid, body text, search_path text, is_pinned boolean, is_trigger boolean)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with triggers as materialized (
    select distinct p.oid, g.tgrelid
    from pg_proc p join pg_trigger g on g.tgfoid = p.oid and not g.tgisinternal
    where p.prosecdef and p.prorettype = 'trigger'::regtype and p.pronamespace <> 'tenancy'::regnamespace
  )
  select p.oid, p.proowner, tenancy.code_of(p.oid), c.search_path,
    -- Relations are looked up in pg_temp first unless it is named, so it has to be named last. An empty path names nothing.
    coalesce(c.search_path = '""' or c.search_path ~ '(^|,)\s*"?pg_temp"?$', false), p.prorettype = 'trigger'::regtype
  from pg_proc p
  left join lateral (
    select substr(setting, length('search_path=') + 1) as search_path
    from unnest(p.proconfig) setting where setting like 'search_path=%'
  ) c on true
  where p.prosecdef and p.pronamespace <> 'tenancy'::regnamespace
    and p.oid::regprocedure::text not in (select s.object from tenancy.sealed s)
    and case p.prorettype
      -- These cannot be called, but whoever writes has them run.
      when 'trigger'::regtype then p.oid in (select t.oid from triggers t where tenancy.is_writable(t.tgrelid))
      when 'event_trigger'::regtype then p.oid in (select e.evtfoid from pg_event_trigger e)
      else exists (select from tenancy.callers(p.oid))
    end
$$;
comment on function tenancy.definer_functions is
  'SECURITY DEFINER functions outside of the kernel that application code can call, or has run by writing, and the search_path that '
  'they are pinned to. Sealed ones of the registry are as migrations made them.';


create function tenancy.audit_schemas() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with schemas as (
    select n.oid, n.nspname, n.nspowner, n.nspacl from pg_namespace n
    where n.nspname in ('tenancy', 'registry', 'public', 'pg_catalog')
      or n.oid in (select oid from tenancy.placement_schemas)
      or n.nspname in (
        select btrim(name, ' "') from tenancy.definer_functions() f, unnest(string_to_array(f.search_path, ',')) name
      ) and n.nspname not in ('pg_catalog', 'pg_temp')
  ), kernel as (
    select nspowner::regrole as name from pg_namespace where nspname = 'tenancy'
  )
  select 22, format('schema %I', s.nspname),
    format('%s may create objects in a schema in which names are looked up, and put its own before those that are meant.', r.name),
    format('revoke create on schema %I from %s', s.nspname, r.name)
  from schemas s, aclexplode(s.nspacl) a join tenancy.open_roles r on r.oid = a.grantee
  where a.privilege_type = 'CREATE' and a.grantee <> s.nspowner
  union all
  select 22, format('schema %I', s.nspname), format('%s owns a schema in which names are looked up.', r.name),
    format('alter schema %I owner to %s', s.nspname, (select name from kernel))
  from schemas s join tenancy.open_roles r on r.oid = s.nspowner
  union all
  select 22, format('database %I', d.datname), format('%s may create schemas in the database.', r.name),
    format('revoke create on database %I from %s', d.datname, r.name)
  from pg_database d, aclexplode(d.datacl) a join tenancy.open_roles r on r.oid = a.grantee
  where d.datname = current_database() and a.privilege_type = 'CREATE' and a.grantee <> d.datdba
  union all
  select 22, format('database %I', d.datname), format('%s owns the database, and may create schemas in it.', r.name),
    format('alter database %I owner to %s', d.datname, (select name from kernel))
  from pg_database d join tenancy.open_roles r on r.oid = d.datdba
  where d.datname = current_database()
  union all
  select 24, format('default privileges of %s%s', d.defaclrole::regrole, ' in schema ' || n.nspname),
    format('%s gets %s on every %s that %s makes from now on, before anybody protects it.', r.name,
      string_agg(lower(a.privilege_type), ', '), case d.defaclobjtype when 'r' then 'table' else 'sequence' end, d.defaclrole::regrole),
    format('alter default privileges for role %s%s revoke all on %s from %s', d.defaclrole::regrole,
      ' in schema ' || quote_ident(n.nspname), case d.defaclobjtype when 'r' then 'tables' else 'sequences' end, r.name)
  from pg_default_acl d
  cross join lateral aclexplode(d.defaclacl) a
  join tenancy.open_roles r on r.oid = a.grantee
  left join pg_namespace n on n.oid = d.defaclnamespace
  where d.defaclobjtype in ('r', 'S') and a.grantee <> d.defaclrole
  group by d.oid, d.defaclrole, d.defaclobjtype, n.nspname, r.name
$$;
comment on function tenancy.audit_schemas is 'Classes 22 and 24.';
