-- What the audit looks at: placement schemas, the tables of tenants in them, and the roles that application code logs in as.

create type tenancy.finding as (class integer, severity text, object text, problem text, remedy text);
comment on type tenancy.finding is
  'A way around row-level security: its class (docs/security.md), error or warning, the object, what leaks, and the statement that '
  'mends it; a remedy that begins with -- is advice, where there is no such statement.';


create table tenancy.cluster (
  name text not null,
  is_single boolean primary key default true check (is_single)
);
revoke all on tenancy.cluster from public;
comment on table tenancy.cluster is 'What the registry calls the cluster that this database is on; one row, written by migrations.';


create function tenancy.set_cluster(name text) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into tenancy.cluster (name) values (set_cluster.name)
  on conflict (is_single) do update set name = excluded.name where cluster.name <> excluded.name
$$;
comment on function tenancy.set_cluster is 'Tells the database what the registry calls its cluster.';


create view tenancy.placement_schemas as
  select n.oid, n.nspname
  from pg_namespace n
  where n.nspname in (
    select schema from tenancy.placements
    union
    select target from tenancy.migration_targets where target not in ('kernel', 'control')
  ) and n.nspname not in ('tenancy', 'registry', 'pg_catalog', 'information_schema');
comment on view tenancy.placement_schemas is 'Schemas in which tenants live, or for which tenant migrations were run.';


create view tenancy.application_roles as
  with recursive kernel as (
    select n.oid, n.nspowner, n.nspacl from pg_namespace n where n.nspname = 'tenancy'
  ), granted as (
    select a.grantee as oid from kernel k, aclexplode(k.nspacl) a where a.privilege_type = 'USAGE'
    union
    select a.grantee from kernel k, pg_proc p, aclexplode(p.proacl) a where p.pronamespace = k.oid and p.proname in ('run', 'run_batch')
  ), logins as (
    select g.oid, g.oid as granted from granted g, kernel k where g.oid not in (0, k.nspowner)
    union
    select m.member, l.granted
    from logins l
    join pg_auth_members m on m.roleid = l.oid
    join pg_roles r on r.oid = m.member and not r.rolsuper
    cross join kernel k
    where m.member <> k.nspowner
      -- Whoever made the owner administers him, as the master user of a cluster does.
      and m.member not in (
        select a.member from pg_auth_members a where a.roleid = k.nspowner and a.admin_option and a.grantor = 10)
  )
  select r.oid, r.rolname, r.rolsuper, r.rolbypassrls, r.rolreplication, r.oid in (select g.oid from granted g) as is_granted,
    l.granted_roles
  from pg_roles r join (select oid, count(distinct granted) as granted_roles from logins group by oid) l on l.oid = r.oid;
comment on view tenancy.application_roles is
  'Roles that functions log in as, or could: those that the kernel is open to by a grant of its own, and the members of these, '
  'except for superusers and for who administers the owner of the kernel.';


create view tenancy.open_roles as
  with recursive members as (
    select r.oid, r.oid as role from tenancy.application_roles r
    union
    -- Also without INHERIT or SET: who may administer a membership may give himself the rest.
    select m.oid, g.roleid from members m join pg_auth_members g on g.member = m.role
    -- That one of them is a member of the owner is a finding; that the owner has privileges then is none.
    where g.roleid <> (select n.nspowner from pg_namespace n where n.nspname = 'tenancy')
  )
  select distinct on (role) role as oid, role::regrole::text as name from members
  union all
  select 0, 'public';
comment on view tenancy.open_roles is
  'Roles whose privileges application code has: the application roles, PUBLIC, and whatever they are members of.';


create view tenancy.grants as
  select c.oid, c.relnamespace, c.relkind, r.oid as role, r.name as grantee, a.privilege_type, null::name as column_name
  from pg_class c
  cross join lateral aclexplode(c.relacl) a
  join tenancy.open_roles r on r.oid = a.grantee
  where c.relacl is not null and a.grantee <> c.relowner
  union all
  select c.oid, c.relnamespace, c.relkind, r.oid, r.name, a.privilege_type, t.attname
  from pg_attribute t
  cross join lateral aclexplode(t.attacl) a
  join pg_class c on c.oid = t.attrelid
  join tenancy.open_roles r on r.oid = a.grantee
  where t.attacl is not null and a.grantee <> c.relowner;
comment on view tenancy.grants is
  'Privileges of application code on relations and columns. Those of an owner are not grants: that it owns at all is the finding.';


create view tenancy.children as
  with recursive descendants as (
    select i.inhrelid, i.inhparent as ancestor
    from pg_inherits i join pg_class c on c.oid = i.inhrelid and c.relkind in ('r', 'p', 'f')
    union
    select i.inhrelid, d.ancestor from descendants d join pg_inherits i on i.inhparent = d.inhrelid
  )
  select * from descendants;
comment on view tenancy.children is 'Partitions and tables that inherit, with each of their ancestors.';


create view tenancy.tenant_tables as
  select c.oid, n.nspname as schema, n.in_placement, c.relkind, c.relowner, c.relrowsecurity, c.relforcerowsecurity,
    a.attnum, a.atttypid, a.attcollation, a.attnotnull, a.has_values,
    c.oid in (select inhrelid from tenancy.children) as is_child, a.has_column_grants
  from pg_class c
  join (
    select n.oid, n.nspname, n.oid in (select oid from tenancy.placement_schemas) as in_placement from pg_namespace n
    where n.nspname not in ('tenancy', 'registry', 'pg_catalog', 'information_schema', 'pg_toast')
  ) n on n.oid = c.relnamespace
  -- An aggregate makes this a look-up a table; joined, Postgres would read pg_attribute from end to end.
  cross join lateral (
    select max(t.attnum) filter (where t.attname = 'tenant_id') as attnum, max(t.atttypid) filter (where t.attname = 'tenant_id') as atttypid,
      max(t.attcollation) filter (where t.attname = 'tenant_id') as attcollation,
      bool_or(t.attnotnull) filter (where t.attname = 'tenant_id') as attnotnull,
      bool_or(t.attstattarget is distinct from 0) filter (where t.attname <> 'tenant_id') as has_values,
      bool_or(t.attacl is not null) as has_column_grants
    from pg_attribute t where t.attrelid = c.oid and t.attnum > 0 and not t.attisdropped
  ) a
  where c.relkind in ('r', 'p', 'f', 'm')
    and (n.in_placement or a.attnum is not null and (
      (select true from tenancy.grants g where g.oid = c.oid limit 1)
      -- A child is reached through its parent, wherever it is and whoever has privileges on it.
      or c.oid in (
        select h.inhrelid from tenancy.children h
        join pg_class p on p.oid = h.ancestor
        where p.relnamespace in (select s.oid from tenancy.placement_schemas s) or (
          exists (select from pg_attribute t where t.attrelid = h.ancestor and t.attname = 'tenant_id' and not t.attisdropped)
          and (select true from tenancy.grants g where g.oid = h.ancestor limit 1))
      )));
comment on view tenancy.tenant_tables is
  'Tables, foreign tables and materialized views of a placement schema; elsewhere, those with a tenant_id that application code '
  'can reach, themselves or as children of such tables. Of each, whether ANALYZE keeps values besides those of tenant_id, and whether '
  'somebody has privileges on single columns.';


-- As many rows as a fleet has: Postgres takes an array to hold ten, and would then look 20,000 tables up one by one.
create function tenancy.each_of(tables tenancy.tenant_tables[]) returns setof tenancy.tenant_tables
language sql stable rows 10000
set search_path = pg_catalog, pg_temp
as $$
  select * from unnest(tables)
$$;
comment on function tenancy.each_of is 'The tables of an array: they are looked up once an audit, and handed from check to check.';


create view tenancy.view_uses as
  select distinct v.oid as view, v.relkind, v.relowner, coalesce(o.is_invoker, false) as is_invoker, d.refobjid as base
  from pg_rewrite r
  join pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm') and v.oid >= 16384
  join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> v.oid
  left join lateral (
    select option_value::boolean as is_invoker from pg_options_to_table(v.reloptions) where option_name = 'security_invoker'
  ) o on true;
comment on view tenancy.view_uses is 'What each view and materialized view reads directly.';


create view tenancy.views_above as
  with recursive above as (
    select u.base, u.view from tenancy.view_uses u
    union
    select a.base, u.view from above a join tenancy.view_uses u on u.base = a.view
  )
  select * from above;
comment on view tenancy.views_above is 'Each relation with the views that read it, directly or through others.';


create function tenancy.is_writable(relation oid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with recursive doors as (
    select relation as oid
    union
    select o.oid
    from doors d
    cross join lateral (
      select u.view as oid from tenancy.view_uses u where u.base = d.oid
      union all
      select i.inhparent from pg_inherits i where i.inhrelid = d.oid
      union all
      select k.confrelid from pg_constraint k
      where k.contype = 'f' and k.conrelid = d.oid and (k.confdeltype in ('c', 'n', 'd') or k.confupdtype in ('c', 'n', 'd'))
      union all
      select r.ev_class from pg_depend u join pg_rewrite r on r.oid = u.objid
      where u.classid = 'pg_rewrite'::regclass and u.refclassid = 'pg_class'::regclass and u.refobjid = d.oid and r.rulename <> '_RETURN'
    ) o
  )
  select exists (
    select from doors d
    cross join lateral (
      select true from tenancy.grants g
      where g.oid = d.oid and g.privilege_type in ('INSERT', 'UPDATE', 'DELETE', 'TRUNCATE') limit 1
    ) g
  )
$$;
comment on function tenancy.is_writable is
  'Whether application code may write to a relation: to itself, a view above it, what it inherits from, what it references by a key that '
  'hands changes on, or whatever has a rule that names it.';
