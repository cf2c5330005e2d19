-- The audit: every known way around row-level security, looked up in the catalog. docs/security.md describes the classes.

create function tenancy.audit_classes() returns table (class integer, severity text, name text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    (1, 'error', 'row-level security off'),
    (2, 'error', 'row-level security without a policy'),
    (3, 'error', 'row-level security not forced'),
    (4, 'error', 'role that policies do not bind'),
    (5, 'error', 'table owned by an application role'),
    (6, 'error', 'view with an owner''s rights'),
    (7, 'error', 'function with an owner''s rights'),
    (8, 'error', 'trigger or rule with an owner''s rights'),
    (9, 'error', 'materialized view'),
    (10, 'error', 'child that can be reached past its parent'),
    (11, 'error', 'foreign table'),
    (12, 'error', 'foreign key without the tenant'),
    (13, 'error', 'unique key or exclusion without the tenant'),
    (14, 'error', 'WITH CHECK that is not the kernel''s'),
    (15, 'error', 'policy that is not the kernel''s'),
    (16, 'error', 'several permissive policies'),
    (17, 'error', 'policy for other roles'),
    (18, 'error', 'policy that reads an unprotected table'),
    (19, 'error', 'tenant_id missing, null, empty or of many spellings'),
    (20, 'error', 'kernel replaced'),
    (21, 'warning', 'policy that proves the tenant once a row'),
    (22, 'error', 'schema in which application code may create'),
    (23, 'error', 'privilege that policies do not cover'),
    (24, 'error', 'default privileges that open future tables'),
    (25, 'error', 'leakproof function'),
    (26, 'error', 'server with a known flaw'),
    (27, 'error', 'readable sequence'),
    (28, 'error', 'publication without a row filter'),
    (29, 'error', 'index that does not lead with the tenant'),
    (30, 'error', 'fence missing or not always firing'),
    (31, 'error', 'way past the tables'),
    (32, 'error', 'readable statistics'),
    (33, 'error', 'registry and database disagree'),
    (34, 'error', 'values in statistics'),
    (35, 'error', 'function that runs text'),
    (36, 'warning', 'shared table that tells by xmax'),
    (37, 'warning', 'predicate whose rows are counted')
$$;
comment on function tenancy.audit_classes is
  'Classes of findings. An error lets data out or in; a warning costs time, or tells how many rows there are.';


create function tenancy.audit() returns setof tenancy.finding
language sql stable
set search_path = pg_catalog, pg_temp
-- Compiling would take longer than the audit.
set jit = off
as $$
  with t as materialized (
    select array_agg(t) as tables from tenancy.tenant_tables t
  ), findings as (
    select f.* from t, tenancy.audit_tables(t.tables) f
    union all
    select f.* from t, tenancy.audit_policies(t.tables) f
    union all
    select f.* from t, tenancy.audit_keys(t.tables) f
    union all
    select f.* from t, tenancy.audit_references(t.tables) f
    union all
    select f.* from t, tenancy.audit_values(t.tables) f
    union all
    select f.* from t, tenancy.audit_powers(t.tables) f
    union all
    select f.* from tenancy.audit_schemas() f
    union all
    select f.* from t, tenancy.audit_relation_grants(t.tables) f
    union all
    select f.* from tenancy.audit_outside() f
    union all
    select f.* from tenancy.audit_catalog() f
    union all
    select f.* from tenancy.audit_callers() f
    union all
    select f.* from t, tenancy.audit_views(t.tables) f
    union all
    select f.* from t, tenancy.audit_functions(t.tables) f
    union all
    select f.* from tenancy.audit_text() f
    union all
    select f.* from tenancy.audit_kernel() f
    union all
    select f.* from t, tenancy.audit_publications(t.tables) f
    union all
    select f.* from tenancy.audit_server(current_setting('server_version_num')::integer) f
    union all
    select f.* from tenancy.audit_homes() f
    union all
    select f.* from tenancy.audit_registry() f
  )
  select f.class, c.severity, f.object, f.problem, f.remedy
  from findings f join tenancy.audit_classes() c using (class)
  order by c.severity, f.class, f.object, f.problem
$$;
comment on function tenancy.audit is
  'Every known way around row-level security that this database has: none, if it is as migrations made it. Runs as the owner of '
  'the kernel, at the end of each deployment and by "npm run tenant -- audit".';


-- Everything that the kernel consists of, this file included.
select tenancy.seal(variadic array(select object from tenancy.definitions));
