-- The audit of policies: each tenant table has exactly the kernel's.

create function tenancy.kind_of_policy(expression pg_node_tree, relation oid, schema name) returns text
language sql stable
-- No pinned search_path, which would keep it from being inlined: its callers have theirs, and it names nothing but Postgres's own.
as $$
  select case pg_get_expr(expression, relation)
    -- Not %L, which writes backslashes in another way than Postgres prints them.
    when format('(tenant_id = ANY (ARRAY[( SELECT tenancy.current_tenant(''%s''::text) AS current_tenant)]))', replace(schema, '''', '''''')) then 'kernel'
    when format('(tenant_id = tenancy.current_tenant(''%s''::text))', replace(schema, '''', '''''')) then 'bare'
    else case when expression is not null then 'other' end
  end
$$;
comment on function tenancy.kind_of_policy is
  'Whether an expression of a policy is the kernel''s, the kernel''s without its sub-select (bare), or another.';


create function tenancy.strange_policies(tables tenancy.tenant_tables[])
returns table (oid oid, policy oid, name name, is_permissive boolean, roles oid[], using_ text, check_ text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with alike as materialized (
    -- Printing 20,000 trees takes seconds. The kernel's is the same text in every table of a schema with tenant_id at the same place, so
    -- one is printed of all that are equal.
    select t.schema, min(q.oid) as sample, array_agg(q.oid) as policies
    from tenancy.each_of(tables) t join pg_policy q on q.polrelid = t.oid
    group by t.schema, t.attnum, q.polpermissive, q.polroles, q.polqual::text, q.polwithcheck::text
  ), kinds as (
    select a.policies, tenancy.kind_of_policy(s.polqual, s.polrelid, a.schema) as using_,
      tenancy.kind_of_policy(s.polwithcheck, s.polrelid, a.schema) as check_, s.polpermissive, s.polroles
    from alike a join pg_policy s on s.oid = a.sample
  )
  select q.polrelid, q.oid, q.polname, q.polpermissive, q.polroles, k.using_, k.check_
  from kinds k cross join lateral unnest(k.policies) p (oid) join pg_policy q on q.oid = p.oid
  where not k.polpermissive or k.polroles <> '{0}' or k.using_ is distinct from 'kernel' or k.check_ <> 'kernel'
$$;
comment on function tenancy.strange_policies is
  'Policies of these tables that are not what protect() makes, and of which kind the expressions of each are. What has no WITH CHECK has '
  'USING serve for it.';


create function tenancy.audit_policies(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with p as materialized (
    select p.*, format('policy %I on %s', p.name, p.oid::regclass) as object, format('select tenancy.protect(%L)', p.oid::regclass) as mend
    from tenancy.strange_policies(tables) p
  ), several as materialized (
    select q.polrelid as oid, count(*) as policies from pg_policy q where q.polpermissive group by q.polrelid having count(*) > 1
  )
  select 14, object, 'WITH CHECK differs from the kernel''s: what a tenant may write is for that expression to say, also rows of another.',
    mend
  from p where is_permissive and using_ in ('kernel', 'bare') and check_ = 'other'
  union all
  select 15, object, 'The policy is not the kernel''s: it lets in whomever its own expression lets in.', mend
  from p where is_permissive and (using_ = 'other' or using_ is null and check_ = 'other')
  union all
  -- Postgres takes conditions of restrictive policies before those of permissive ones. One that speaks of new rows alone sees no others.
  select 15, object, 'The restrictive policy sees rows of all tenants before the kernel''s does: its errors and effects tell them.', mend
  from p where not is_permissive and using_ <> 'kernel'
  union all
  select 16, s.oid::regclass::text, format('%s permissive policies add up to the widest of them.', s.policies),
    format('select tenancy.protect(%L)', s.oid::regclass)
  from several s join unnest(tables) t on t.oid = s.oid
  union all
  select 17, object,
    format('The policy does not apply to %s, who has privileges on the table.', string_agg(distinct r.rolname, ', ')), mend
  from p join tenancy.application_roles r on has_table_privilege(r.oid, p.oid, 'select, insert, update, delete')
  where is_permissive and roles <> '{0}' and not exists (select from unnest(roles) s where pg_has_role(r.oid, s, 'usage'))
  group by object, mend
  union all
  select distinct 18, object,
    format('The policy reads %s, which no policy protects: whoever can write there opens the table.', c.oid::regclass),
    case when is_permissive then mend else format('drop policy %I on %s', p.name, p.oid::regclass) end
  from p
  join pg_depend d on d.classid = 'pg_policy'::regclass and d.objid = p.policy
    and d.refclassid = 'pg_class'::regclass and d.refobjid <> p.oid
  join pg_class c on c.oid = d.refobjid and not (c.relrowsecurity and c.relforcerowsecurity)
  union all
  select 21, object,
    'The policy calls tenancy.current_tenant() bare instead of in a sub-select: once a row, not once a statement.', mend
  from p where is_permissive and 'bare' in (using_, check_)
$$;
comment on function tenancy.audit_policies is 'Classes 14 to 18, and 21.';
