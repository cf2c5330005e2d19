-- The audit of what is nobody's but the server's and the kernel's.

create function tenancy.audit_catalog() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with secrets (oid, class, content, is_open) as (
    values ('pg_statistic'::regclass::oid, 32, 'statistics, which hold values of all tenants', false),
      ('pg_statistic_ext_data'::regclass, 32, 'statistics, which hold values of all tenants', false),
      -- These show each reader what he may read anyway, but a materialized view what its owner may.
      ('pg_stats'::regclass, 32, 'statistics, which hold values of all tenants', true),
      ('pg_stats_ext'::regclass, 32, 'statistics, which hold values of all tenants', true),
      ('pg_stats_ext_exprs'::regclass, 32, 'statistics, which hold values of all tenants', true),
      ('pg_authid'::regclass, 31, 'verifiers of passwords', false),
      ('pg_shadow'::regclass, 31, 'verifiers of passwords', false),
      ('pg_user_mapping'::regclass, 31, 'passwords for other servers', false),
      ('pg_largeobject'::regclass, 31, 'large objects, whoever may read them', false)
  ), handed_on as (
    select s.class, s.content, u.view from secrets s join tenancy.view_uses u on u.base = s.oid
    where not u.is_invoker and (u.relkind = 'm' or not s.is_open)
    union
    -- Postgres writes down no dependencies on its tables.
    select s.class, s.content, v.oid
    from secrets s
    join pg_rewrite r on r.ev_class >= 16384 and r.rulename = '_RETURN' and not s.is_open
    -- The fence of an offset has these few looked up one by one.
    cross join lateral (
      select c.oid from pg_class c
      where c.oid = r.ev_class and has_table_privilege(c.relowner, s.oid, 'select') and not exists (
        select from pg_options_to_table(c.reloptions) o where o.option_name = 'security_invoker' and o.option_value::boolean)
      offset 0
    ) v
    where r.ev_action::text ~ format(':relid %s\M', s.oid)
  ), readable as (
    select s.class, s.content, s.oid from secrets s where not s.is_open
    union
    select h.class, h.content, a.view
    from handed_on h cross join lateral (select h.view union select v.view from tenancy.views_above v where v.base = h.view) a
  )
  select r.class, r.oid::regclass::text, format('%s can read %s.', g.grantee, r.content),
    format('revoke all on %s from %s', r.oid::regclass, g.grantee)
  from readable r
  cross join lateral (select g.* from tenancy.grants g where g.oid = r.oid offset 0) g
  group by r.class, r.content, r.oid, g.grantee
$$;
comment on function tenancy.audit_catalog is 'Of classes 31 and 32 what Postgres itself keeps, also where views hand it on.';


create function tenancy.audit_callers() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 31, d.object, format('%s may call the function, which acts with the rights of its owner and is not for it.', r.name),
    format('revoke execute on %s from %s', d.address, r.name)
  from tenancy.definitions d
  join tenancy.sealed s using (object)
  join pg_proc p on p.oid = d.oid and p.prosecdef
  cross join lateral unnest(d.callers) c (role)
  join tenancy.open_roles r on r.name = c.role
  -- The first leaves out, before it is asked for, whatever cannot be called.
  where d.callers <> '{}' and not c.role = any (s.callers)
$$;
comment on function tenancy.audit_callers is
  'Class 31: who may call sealed functions with an owner''s rights, besides those for whom they were sealed.';
