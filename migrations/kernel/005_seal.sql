-- The seal: what the kernel's functions and views were when a migration made them, so that the audit sees when one is replaced.

create table tenancy.sealed (
  object text primary key,
  definition text not null
);
revoke all on tenancy.sealed from public;

comment on table tenancy.sealed is
  'The kernel''s functions and views as migrations made them. Guards against accidents and against every role but the owner of the '
  'kernel, who could seal a forgery as well.';


create view tenancy.definitions as
  select p.oid, p.proowner as owner, case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end as kind,
    p.oid::regprocedure::text as object,
    -- Postgres prints no aggregate. The kernel has none, so each is a stranger whatever it does.
    case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else 'unknown' end as definition
  from pg_proc p
  where p.pronamespace = 'tenancy'::regnamespace
  union all
  select c.oid, c.relowner, 'view', c.oid::regclass::text,
    format('create or replace view %s as%s', c.oid::regclass, pg_get_viewdef(c.oid))
  from pg_class c
  where c.relnamespace = 'tenancy'::regnamespace and c.relkind = 'v';

comment on view tenancy.definitions is 'The kernel''s functions and views as they are now, each as the statement that makes it.';


create function tenancy.seal(variadic objects text[]) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into tenancy.sealed (object, definition)
    select d.object, d.definition from tenancy.definitions d where d.object = any (objects)
  on conflict (object) do update set definition = excluded.definition
    where sealed.definition <> excluded.definition
$$;

comment on function tenancy.seal is
  'Records what these functions and views of the kernel are now, named as in tenancy.definitions. Each migration seals what it '
  'makes or changes and nothing else, so that it does not bless what somebody replaced before.';
