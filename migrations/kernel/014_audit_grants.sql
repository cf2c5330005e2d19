-- The audit of grants: rows are all that application code gets.

create function tenancy.excess_grants(tables tenancy.tenant_tables[])
returns table (oid oid, relkind "char", grantee text, column_name name, privilege text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with relations as not materialized (
    -- The fence of an offset has Postgres take no more of an index, of which there are most, than that it is one.
    select c.oid, c.relkind, c.relowner, c.relacl from pg_class c where c.relkind in ('r', 'p', 'f', 'm', 't') offset 0
  ), excess as materialized (
    -- Few lists of grants stand for all relations, so each is taken apart once.
    select l.relacl, l.is_storage, a.grantee, r.name, a.privilege_type
    from (select distinct c.relacl, c.relkind = 't' as is_storage from relations c where c.relacl is not null) l
    cross join lateral aclexplode(l.relacl) a
    join tenancy.open_roles r on r.oid = a.grantee
    where l.is_storage or a.privilege_type in ('TRUNCATE', 'REFERENCES', 'TRIGGER', 'MAINTAIN')
  )
  select c.oid, c.relkind, e.name, null::name, lower(e.privilege_type)
  from excess e join relations c on c.relacl = e.relacl and (c.relkind = 't') = e.is_storage and c.relowner <> e.grantee
  union all
  select g.oid, g.relkind, g.grantee, g.column_name, lower(g.privilege_type)
  from unnest(tables) t
  cross join lateral (select * from tenancy.grants g where g.oid = t.oid and g.privilege_type = 'REFERENCES' offset 0) g
  where t.has_column_grants and g.column_name is not null
  union all
  -- Nobody gets at columns of storage without a right to its schema; to look for these, all columns there are have to be read.
  select g.oid, g.relkind, g.grantee, g.column_name, lower(g.privilege_type)
  from tenancy.grants g
  where g.relkind = 't' and g.column_name is not null and (
    select true from pg_namespace n cross join lateral aclexplode(n.nspacl) a join tenancy.open_roles r on r.oid = a.grantee
    where n.nspname = 'pg_toast' and a.privilege_type = 'USAGE' limit 1
  )
$$;
comment on function tenancy.excess_grants is
  'What application code may do with tables besides reading and writing rows, and anything that it may do with the storage of long values.';


create function tenancy.audit_relation_grants(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with excess as materialized (
    select * from tenancy.excess_grants(tables)
  ), g as materialized (
    select g.oid, g.relkind, g.relnamespace, g.grantee, lower(g.privilege_type) as privilege
    from (select seqrelid as oid from pg_sequence union select k.oid from tenancy.kernel_relations k) c
    -- The fence of an offset has these few looked up one by one.
    cross join lateral (select * from tenancy.grants g where g.oid = c.oid offset 0) g
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
  where g.relkind = 'S' and (
    g.relnamespace in (select oid from tenancy.placement_schemas)
    -- Elsewhere those that number rows of a tenant table: of an identity column, or by its default.
    or exists (
      select from pg_depend d join unnest(tables) t on t.oid = d.refobjid
      where d.classid = 'pg_class'::regclass and d.objid = g.oid and d.refclassid = 'pg_class'::regclass and d.refobjsubid > 0
    )
    or exists (
      select from pg_depend d join pg_attrdef v on v.oid = d.objid join unnest(tables) t on t.oid = v.adrelid
      where d.refclassid = 'pg_class'::regclass and d.refobjid = g.oid and d.classid = 'pg_attrdef'::regclass
    ))
  group by g.oid, g.grantee
  union all
  select 31, e.oid::regclass::text,
    format('%s has %s on the storage of long values of %s, which no policy covers.', e.grantee, string_agg(distinct e.privilege, ', '),
      (select c.oid::regclass from pg_class c where c.reltoastrelid = e.oid)),
    format('revoke all on %s from %s', e.oid::regclass, e.grantee)
  from excess e where e.relkind = 't' group by e.oid, e.grantee
  union all
  select 31, g.oid::regclass::text,
    format('%s has %s on a relation of the kernel.', g.grantee, string_agg(distinct g.privilege, ', ')),
    format('revoke all on %s from %s', g.oid::regclass, g.grantee)
  from g
  where g.relnamespace = 'tenancy'::regnamespace
  group by g.oid, g.grantee
  union all
  select 31, g.oid::regclass::text,
    format('%s has %s on a relation of the registry, which is not for it.', g.grantee, string_agg(distinct g.privilege, ', ')),
    format('revoke all on %s from %s', g.oid::regclass, g.grantee)
  from g
  where g.relnamespace = (select to_regnamespace('registry'))
    -- The control plane and its operations keep the registry, and the authorizer reads it.
    and not (g.grantee = 'tenantry_authorizer' and g.privilege = 'select')
    and not (g.grantee in ('tenantry_control', 'tenantry_operations') and g.privilege not in ('truncate', 'references', 'trigger', 'maintain'))
  group by g.oid, g.grantee
  union all
  select 32, format('statistics %I.%I', s.stxnamespace::regnamespace, s.stxname),
    format('The application role %s owns statistics of the tenant table %s.', r.name, s.stxrelid::regclass),
    format('alter statistics %I.%I owner to %s', s.stxnamespace::regnamespace, s.stxname, t.relowner::regrole)
  from pg_statistic_ext s
  join unnest(tables) t on t.oid = s.stxrelid
  join tenancy.open_roles r on r.oid = s.stxowner and r.oid <> t.relowner
$$;
comment on function tenancy.audit_relation_grants is 'Classes 23 and 27; of class 31 the relations of the kernel and the registry, and storage; of class 32 who owns statistics.';


create function tenancy.outside_functions() returns table (oid oid, object text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.oid, format('function %s', p.oid::regprocedure) from pg_proc p
  where p.pronamespace = 'pg_catalog'::regnamespace and p.proname in (
    'lo_import', 'lo_export', 'pg_read_file', 'pg_read_binary_file', 'pg_stat_file', 'pg_current_logfile', 'pg_ls_dir', 'pg_ls_logdir',
    'pg_ls_waldir', 'pg_ls_tmpdir', 'pg_ls_archive_statusdir', 'pg_ls_logicalsnapdir', 'pg_ls_logicalmapdir', 'pg_ls_replslotdir')
  union all
  select p.oid, format('extension %I', e.extname)
  from pg_depend d
  join pg_extension e on e.oid = d.refobjid
  join pg_proc p on p.oid = d.objid
  where d.refclassid = 'pg_extension'::regclass and d.classid = 'pg_proc'::regclass and d.deptype = 'e'
    -- An extension that nobody has looked at is no better than one that is known to be open.
    and (e.extname not in (
        'plpgsql', 'plperl', 'pltcl', 'plv8', 'bloom', 'btree_gin', 'btree_gist', 'citext', 'cube', 'dict_int', 'dict_xsyn',
        'earthdistance', 'file_fdw', 'fuzzystrmatch', 'hstore', 'intagg', 'intarray', 'isn', 'jsonb_plperl', 'lo', 'ltree', 'pg_trgm',
        'pgcrypto', 'postgis', 'postgres_fdw', 'seg', 'sslinfo', 'unaccent', 'uuid-ossp', 'vector')
      -- Of PostGIS: estimates from the statistics of all tenants.
      or p.proname in ('st_estimatedextent', '_postgis_stats', '_postgis_selectivity', '_postgis_join_selectivity'))
    -- These cannot be called, nor can what takes an argument of type internal.
    and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype, 'internal'::regtype, 'language_handler'::regtype,
      'fdw_handler'::regtype, 'index_am_handler'::regtype, 'table_am_handler'::regtype, 'tsm_handler'::regtype)
    and not 'internal'::regtype = any (p.proargtypes::oid[])
$$;
comment on function tenancy.outside_functions is
  'Functions that reach past the tables: files of the server, and those of extensions that are not known to stay within the rows '
  'which the caller sees. Others run SQL from text, or reach other databases, services of the cloud, statistics, raw pages.';


create function tenancy.audit_memberships() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 31, format('role %s', g.member::regrole),
    case when r.rolname ~ '^(pg|rds)_'
      then format('The role is a member of %I: what that may do stands in no privilege of a table, and reaches past them.', r.rolname)
      else format('The role is a member of the application role %I, and may do what that one alone should.', r.rolname) end,
    format('revoke %I from %s granted by %s', r.rolname, g.member::regrole, g.grantor::regrole)
  from pg_auth_members g
  join tenancy.open_roles o on o.oid = g.member
  join pg_roles m on m.oid = g.member
  join pg_roles r on r.oid = g.roleid
  -- A second login with the rights of one application role is no more than that one is.
  where r.oid in (select a.oid from tenancy.application_roles a where a.is_granted)
      and exists (select from tenancy.application_roles a where a.granted_roles > 1 and pg_has_role(a.oid, m.oid, 'member'))
    -- Members of each other they are by themselves; rds_superuser is class 4. The others decide how to log in, and when.
    or r.rolname ~ '^(pg|rds)_' and m.rolname !~ '^(pg|rds)_'
      and r.rolname not in ('rds_superuser', 'rds_iam', 'rds_ad', 'rds_reserved', 'pg_use_reserved_connections', 'pg_checkpoint')
  union all
  select 31, format('parameter %s', p.parname),
    format('%s may %s the parameter, which decides what the server checks.', r.name, string_agg(lower(a.privilege_type), ', ')),
    format('revoke all on parameter %s from %s', p.parname, r.name)
  from pg_parameter_acl p
  cross join lateral aclexplode(p.paracl) a
  join tenancy.open_roles r on r.oid = a.grantee
  group by p.parname, r.name
  union all
  select 31, format('parameter %s', c.name),
    format('%s has the parameter set to %s: the server does not check what it should.', coalesce(r.rolname, 'everybody'), c.value),
    format('alter %s reset %s', case when r.oid is null and d.oid is not null then format('database %I', d.datname)
      else concat('role ', coalesce(quote_ident(r.rolname), 'all'), ' in database ' || quote_ident(d.datname)) end, c.name)
  from pg_db_role_setting s
  cross join lateral unnest(s.setconfig) setting
  cross join lateral (select split_part(setting, '=', 1), split_part(setting, '=', 2)) c (name, value)
  left join pg_roles r on r.oid = s.setrole
  left join pg_database d on d.oid = s.setdatabase
  where (s.setrole = 0 or s.setrole in (select o.oid from tenancy.open_roles o))
    and (s.setdatabase = 0 or d.datname = current_database())
    -- Foreign keys, and privileges on large objects.
    and c.name in ('session_replication_role', 'lo_compat_privileges') and c.value !~* '^(origin|local|off|false|no|0)$'
$$;
comment on function tenancy.audit_memberships is 'Class 31: roles whose powers no privilege on an object shows, and parameters, granted or set.';


create function tenancy.audit_outside() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 31, f.object,
    format('%s may call %s, and reach past every table and policy.', r.name, case when f.object ~ '^function ' then 'it' else
      format('%s of its functions', count(*)) end),
    format('revoke execute on routine %s from %s', string_agg(p.oid::regprocedure::text, ', ' order by p.oid), r.name)
  from tenancy.outside_functions() f
  join pg_proc p on p.oid = f.oid
  cross join lateral aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
  join tenancy.open_roles r on r.oid = a.grantee
  where p.proowner <> a.grantee
  group by f.object, r.name
  union all
  select * from tenancy.audit_memberships()
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
