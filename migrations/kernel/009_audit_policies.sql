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


create function tenancy.policies(tables tenancy.tenant_tables[])
returns table (
  oid oid, policy oid, name name, is_permissive boolean, command "char", roles oid[],
  using_ text, check_ text, permissive_policies bigint
)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- Printing 20,000 trees takes seconds. The kernel's is the same text in every table of a schema with tenant_id at the same
  -- place, so one of each is printed and the others are compared with it; what differs is printed too.
  with policies as materialized (
    select p.oid, p.polrelid, p.polpermissive, t.schema, t.attnum from tenancy.each_of(tables) t join pg_policy p on p.polrelid = t.oid
  ), several as materialized (
    select polrelid, count(*) as policies from policies where polpermissive group by polrelid having count(*) > 1
  ), samples as materialized (
    -- Appending nothing decompresses the tree here, instead of at each comparison.
    select s.schema, s.attnum, p.polqual::text || '' as tree, tenancy.kind_of_policy(p.polqual, p.polrelid, s.schema) as kind
    from (select schema, attnum, min(oid) as oid from policies group by schema, attnum) s join pg_policy p on p.oid = s.oid
  )
  select q.polrelid, q.oid, q.polname, q.polpermissive, q.polcmd, q.polroles,
    case when q.polqual::text = s.tree then s.kind else tenancy.kind_of_policy(q.polqual, q.polrelid, q.schema) end,
    case when q.polwithcheck::text = s.tree then s.kind else tenancy.kind_of_policy(q.polwithcheck, q.polrelid, q.schema) end,
    coalesce((select m.policies from several m where m.polrelid = q.polrelid), 1)
  -- The fence of an offset lets trees pass by the samples, instead of gathering 20,000 of them first.
  from (select q.*, p.schema, p.attnum from policies p join pg_policy q on q.oid = p.oid offset 0) q
  left join samples s on s.schema = q.schema and s.attnum is not distinct from q.attnum
$$;
comment on function tenancy.policies is 'Policies of these tables, and of which kind the expressions of each are.';


create function tenancy.audit_policies(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with p as materialized (
    select p.*, format('policy %I on %s', p.name, p.oid::regclass) as object,
      format('select tenancy.protect(%L)', p.oid::regclass) as mend
    from tenancy.policies(tables) p
    where not p.is_permissive or p.roles <> '{0}' or p.permissive_policies > 1
      or p.using_ is distinct from 'kernel' or p.check_ is distinct from 'kernel'
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
  select 16, oid::regclass::text, format('%s permissive policies add up to the widest of them.', permissive_policies), mend
  from p where is_permissive and permissive_policies > 1 group by oid, permissive_policies, mend
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
