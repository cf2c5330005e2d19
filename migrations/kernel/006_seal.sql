-- The seal: what the kernel's functions and views were when a migration made them, so that the audit sees when one is replaced. Those of
-- the registry may be sealed too.

create table tenancy.sealed (
  object text primary key,
  definition text not null,
  callers text[] not null
);
revoke all on tenancy.sealed from public;

comment on table tenancy.sealed is
  'The kernel''s functions and views as migrations made them. Guards against accidents and against every role but the owner of the '
  'kernel, who could seal a forgery as well.';


create view tenancy.definitions as
  select p.oid, p.pronamespace::regnamespace::text as schema, p.proowner as owner,
    case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
    p.oid::regprocedure::text as object,
    -- Postgres prints no aggregate. The kernel has none, so each is a stranger whatever it does.
    case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else 'unknown' end as definition,
    array(
      select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
      from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner order by 1
    ) as callers
  from pg_proc p
  where p.pronamespace in ('tenancy'::regnamespace, to_regnamespace('registry'))
  union all
  select c.oid, c.relnamespace::regnamespace::text, c.relowner, 'view', c.oid::regclass::text,
    format('create or replace view %s as%s', c.oid::regclass, pg_get_viewdef(c.oid)), '{}'
  from pg_class c
  where c.relnamespace in ('tenancy'::regnamespace, to_regnamespace('registry')) and c.relkind = 'v';

comment on view tenancy.definitions is
  'Functions and views of the kernel and the registry as they are now, each as the statement that makes it, and who may call it.';


create function tenancy.seal(variadic objects text[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into tenancy.sealed (object, definition, callers)
    select d.object, d.definition, d.callers from tenancy.definitions d where d.object = any (objects)
  on conflict (object) do update set definition = excluded.definition, callers = excluded.callers
    where (sealed.definition, sealed.callers) <> (excluded.definition, excluded.callers)
$$;

comment on function tenancy.seal is
  'Records what these functions and views of the kernel are now, named as in tenancy.definitions, and who may call them. Each migration '
  'seals what it makes, changes or grants and nothing else, so that it does not bless what somebody replaced before.';


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
  where d.definition is distinct from s.definition and (s.object is not null or d.schema = 'tenancy')
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
