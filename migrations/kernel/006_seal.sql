-- The seal: what the kernel's functions, views and tables were when a migration made them, so that the audit sees when one is replaced.
-- Those of the registry may be sealed too.

create table tenancy.sealed (
  object text primary key,
  definition text not null,
  callers text[] not null
);
revoke all on tenancy.sealed from public;

comment on table tenancy.sealed is
  'The kernel''s functions, views and tables as migrations made them. Guards against accidents and against every role but the owner of '
  'the kernel, who could seal a forgery as well.';


create function tenancy.table_definition(relation oid) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select '-- Alter it until it is again what a migration made it: ' || string_agg(p.part, '; ' order by p.place, p.part)
  from (
    select 1, format('row-level security %s, forced %s', c.relrowsecurity, c.relforcerowsecurity) from pg_class c where c.oid = relation
    union all
    select 2, concat_ws(' ', quote_ident(a.attname), format_type(a.atttypid, a.atttypmod), 'collate ' || nullif(a.attcollation, 0)::regcollation,
      case when a.attnotnull then 'not null' end, case a.attidentity when 'a' then 'always as identity' when 'd' then 'as identity' end,
      case a.attgenerated when '' then 'default ' else 'generated as ' end || pg_get_expr(d.adbin, d.adrelid))
    from pg_attribute a left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid = relation and a.attnum > 0 and not a.attisdropped
    union all
    select 3, format('constraint %I %s', k.conname, pg_get_constraintdef(k.oid)) from pg_constraint k where k.conrelid = relation
    union all
    -- Expressions in them run as whoever writes.
    select 4, pg_get_indexdef(i.indexrelid) from pg_index i where i.indrelid = relation
    union all
    select 5, concat_ws(' ', 'policy', quote_ident(p.polname), pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))
    from pg_policy p where p.polrelid = relation
    union all
    -- Whoever reads a table reads what inherits from it as well.
    select 6, format('%s inherits from %s', i.inhrelid::regclass, i.inhparent::regclass) from pg_inherits i
    where relation in (i.inhrelid, i.inhparent)
  ) p (place, part)
$$;
comment on function tenancy.table_definition is
  'What decides which rows a table has and what runs when they are written, but for triggers and rules: no statement, but advice.';


-- No index leads from a schema to its relations, of which a large bridge has hundreds of thousands. What dropping the schema would drop
-- does.
create view tenancy.schema_relations as
  select d.objid as oid, d.refobjid as schema
  from pg_depend d
  where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_namespace'::regclass;

comment on view tenancy.schema_relations is 'Relations by schema, but for indexes and storage of long values. Quick where the schema is given.';


create view tenancy.kernel_relations as
  select c.oid, c.relnamespace, c.relname, c.relkind, c.relowner
  from tenancy.schema_relations r join pg_class c using (oid)
  where r.schema in ('tenancy'::regnamespace, to_regnamespace('registry'));

comment on view tenancy.kernel_relations is 'Relations of the kernel and the registry.';


-- Without a WITH, so that Postgres prints nothing of what is not asked for.
create view tenancy.definitions as
  select p.oid, p.pronamespace::regnamespace::text as schema, p.proowner as owner, p.oid::regprocedure::text as object,
    format('%s %s', case p.prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, p.oid::regprocedure) as address,
    -- Postgres prints no aggregate. The kernel has none, so each is a stranger whatever it does.
    case when p.prokind in ('f', 'p') then pg_get_functiondef(p.oid) else 'unknown' end as definition,
    array(
      select case a.grantee when 0 then 'public' else a.grantee::regrole::text end
      from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a where a.grantee <> p.proowner order by 1
    ) as callers
  from pg_proc p
  where p.pronamespace in ('tenancy'::regnamespace, to_regnamespace('registry'))
  union all
  select c.oid, c.relnamespace::regnamespace::text, c.relowner, c.oid::regclass::text,
    format('%s %s', case c.relkind when 'v' then 'view' when 'f' then 'foreign table' when 'm' then 'materialized view' else 'table' end,
      c.oid::regclass),
    case c.relkind when 'v' then format('create or replace view %s as%s', c.oid::regclass, pg_get_viewdef(c.oid))
      else tenancy.table_definition(c.oid) end, '{}'::text[]
  from tenancy.kernel_relations c where c.relkind in ('v', 'r', 'p', 'f', 'm')
  union all
  -- What these do is done as whoever writes the table, and the kernel's and the registry's are written by their owner.
  select d.oid, c.relnamespace::regnamespace::text, null::oid, d.address, d.address, d.definition, '{}'::text[]
  from tenancy.kernel_relations c
  -- The fence of an offset has them looked up for these few.
  cross join lateral (
    select g.oid, format('trigger %I on %s', g.tgname, c.oid::regclass) as address,
      format('%s; alter table %s %s trigger %I', regexp_replace(pg_get_triggerdef(g.oid), '^CREATE', 'create or replace'), c.oid::regclass,
        case g.tgenabled when 'D' then 'disable' when 'R' then 'enable replica' when 'A' then 'enable always' else 'enable' end,
        g.tgname) as definition
    from pg_trigger g where g.tgrelid = c.oid and not g.tgisinternal
    union all
    select r.oid, format('rule %I on %s', r.rulename, c.oid::regclass), pg_get_ruledef(r.oid)
    from pg_rewrite r where r.ev_class = c.oid and r.rulename <> '_RETURN'
    offset 0
  ) d;

comment on view tenancy.definitions is
  'Functions, views, tables, triggers and rules of the kernel and the registry as they are now, each as what makes it, and who may call '
  'it. Its address is what DROP and ALTER call it.';


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
  'Records what these objects of the kernel are now, named as in tenancy.definitions, and who may call them. Each migration '
  'seals what it makes, changes or grants and nothing else, so that it does not bless what somebody replaced before.';


create function tenancy.audit_kernel() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with kernel as (
    select nspowner from pg_namespace where nspname = 'tenancy'
  ), definitions as materialized (
    select * from tenancy.definitions
  )
  select 20, coalesce(d.object, s.object),
    case when s.object is null then 'No migration has sealed this object of the kernel: a stranger is there, or a migration forgot to.'
      when d.object is null then 'The object of the kernel is gone.'
      else 'The object of the kernel is not what migrations made it, and proves nothing any more.' end,
    case when s.object is null then 'drop ' || d.address else s.definition end
  from definitions d full join tenancy.sealed s using (object)
  where d.definition is distinct from s.definition and (s.object is not null or d.schema = 'tenancy' or d.address ~ '^(trigger|rule) ')
  union all
  select 20, d.object, format('The object of the kernel belongs to %s, who can replace it.', d.owner::regrole),
    format('alter %s owner to %s', d.address, k.nspowner::regrole)
  from definitions d, kernel k where d.owner <> k.nspowner
$$;
comment on function tenancy.audit_kernel is 'Class 20.';
