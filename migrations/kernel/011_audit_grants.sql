-- The audit of grants: rows are all that application code gets.

create function tenancy.audit_relation_grants(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with excess as materialized (
    select g.oid, g.grantee, g.column_name, lower(g.privilege_type) as privilege
    from tenancy.grants g where g.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
  ), g as materialized (
    select g.oid, g.relkind, g.relnamespace, g.grantee, lower(g.privilege_type) as privilege
    from pg_class c
    -- The fence of an offset has these few looked up one by one.
    cross join lateral (select * from tenancy.grants g where g.oid = c.oid offset 0) g
    where c.relkind = 'S' or c.relnamespace = 'tenancy'::regnamespace
      or c.oid in ('pg_statistic'::regclass, 'pg_statistic_ext_data'::regclass)
  )
  select 23, t.oid::regclass::text,
    format('%s has %s on the table: policies apply to none of these, and TRUNCATE empties it for all tenants.', e.grantee,
      string_agg(e.privilege, ', ')),
    format('revoke %s%s on %s from %s', string_agg(e.privilege, ', '), ' (' || quote_ident(e.column_name) || ')',
      t.oid::regclass, e.grantee)
  from unnest(tables) t join excess e on e.oid = t.oid
  group by t.oid, e.grantee, e.column_name
  union all
  select 27, g.oid::regclass::text, format('%s can read the sequence: it tells the volume of all tenants.', g.grantee),
    format('revoke all on sequence %s from %s', g.oid::regclass, g.grantee)
  from g
  where g.relkind = 'S' and g.relnamespace in (select oid from tenancy.placement_schemas)
  group by g.oid, g.grantee
  union all
  select 31, g.oid::regclass::text,
    format('%s has %s on a relation of the kernel.', g.grantee, string_agg(distinct g.privilege, ', ')),
    format('revoke all on %s from %s', g.oid::regclass, g.grantee)
  from g
  where g.relnamespace = 'tenancy'::regnamespace
  group by g.oid, g.grantee
  union all
  select 32, g.oid::regclass::text, format('%s can read statistics, which hold values of all tenants.', g.grantee),
    format('revoke all on %s from %s', g.oid::regclass, g.grantee)
  from g
  where g.oid in ('pg_statistic'::regclass, 'pg_statistic_ext_data'::regclass)
  group by g.oid, g.grantee
  union all
  select 32, format('statistics %I.%I', s.stxnamespace::regnamespace, s.stxname),
    format('The application role %s owns statistics of the tenant table %s.', r.name, s.stxrelid::regclass),
    format('alter statistics %I.%I owner to %s', s.stxnamespace::regnamespace, s.stxname, t.relowner::regrole)
  from pg_statistic_ext s
  join unnest(tables) t on t.oid = s.stxrelid
  join tenancy.open_roles r on r.oid = s.stxowner and r.oid <> t.relowner
$$;
comment on function tenancy.audit_relation_grants is 'Classes 23, 27 and 32, and the relations of class 31.';


create function tenancy.outside_functions() returns table (oid oid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.oid from pg_proc p
  where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in (
    'lo_import', 'lo_export', 'pg_read_file', 'pg_read_binary_file', 'pg_stat_file', 'pg_current_logfile', 'pg_ls_dir', 'pg_ls_logdir',
    'pg_ls_waldir', 'pg_ls_tmpdir', 'pg_ls_archive_statusdir', 'pg_ls_logicalsnapdir', 'pg_ls_logicalmapdir', 'pg_ls_replslotdir')
  union all
  select d.objid from pg_depend d join pg_extension e on e.oid = d.refobjid
  where d.refclassid = 'pg_extension'::regclass and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
    and e.extname in ('dblink', 'adminpack', 'aws_s3', 'aws_lambda', 'pg_surgery', 'pageinspect')
$$;
comment on function tenancy.outside_functions is
  'Functions that reach past the tables: files of the server, other databases, other services of the cloud, raw pages.';


create function tenancy.audit_outside() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 31, format('function %s', p.oid::regprocedure), format('%s may call it, and reach past every table and policy.', r.name),
    format('revoke execute on function %s from %s', p.oid::regprocedure, r.name)
  from tenancy.outside_functions() f
  join pg_proc p on p.oid = f.oid
  cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  join tenancy.open_roles r on r.oid = a.grantee
  where p.proowner <> a.grantee
  union all
  select 31, format('role %s', g.member::regrole),
    format('The role is a member of %s: files and programs of the server.', g.roleid::regrole),
    format('revoke %s from %s granted by %s', g.roleid::regrole, g.member::regrole, g.grantor::regrole)
  from pg_auth_members g
  join tenancy.open_roles r on r.oid = g.member
  where g.roleid::regrole::text in ('pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program')
  union all
  select 31, format('server %I', s.srvname), format('%s may use the foreign server, which is another database.', r.name),
    format('revoke usage on foreign server %I from %s', s.srvname, r.name)
  from pg_foreign_server s
  cross join lateral aclexplode(s.srvacl) a
  join tenancy.open_roles r on r.oid = a.grantee
  where a.grantee <> s.srvowner
  union all
  -- Postgres lets every role make large objects, and RDS's master user cannot take that away; so it is those that exist which count.
  select 31, format('large objects of %s', l.lomowner::regrole),
    format('%s large objects, which belong to no tenant, can be read by all of them.', count(distinct l.oid)),
    format('select lo_unlink(oid) from pg_largeobject_metadata where lomowner = %L::regrole', l.lomowner::regrole)
  from pg_largeobject_metadata l
  cross join lateral aclexplode(coalesce(l.lomacl, acldefault('L', l.lomowner))) a
  join tenancy.open_roles r on r.oid = a.grantee
  group by l.lomowner
$$;
comment on function tenancy.audit_outside is 'The rest of class 31.';
