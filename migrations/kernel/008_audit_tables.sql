-- The audit of tables: what protect() gives each, and what children and foreign tables have instead.

create function tenancy.has_way_out(expression text) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select expression ~ '\mOR\M|NOT \(|\mCASE\M|\) IS (NOT )?(TRUE|FALSE|UNKNOWN|NULL)\M|\) (=|<>|<|<=|>|>=) \(*(true|false)\M'
$$;
comment on function tenancy.has_way_out is
  'Whether a condition, as Postgres prints it, may hold though one of its parts does not, or be turned around.';


create function tenancy.refuses_empty(tree pg_node_tree, relation oid) returns boolean
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- The whole expression, or one of the parts that AND joins. With an OR or a NOT around it, a part says nothing of the whole.
  select expression ~ $re$(^\(*|AND )(\(tenant_id <> ''::text\)|\((char_|octet_)?length\(tenant_id\) (> \d+|>= [1-9]\d*)\))(\)*$| AND )$re$
    and not tenancy.has_way_out(expression)
  from pg_get_expr(tree, relation) expression
$$;
comment on function tenancy.refuses_empty is 'Whether a check constraint is known to refuse an empty tenant_id.';


create function tenancy.non_empty_checks(tables tenancy.tenant_tables[]) returns table (oid oid)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with checks as (
    -- The same check is the same tree in every table with tenant_id at the same place: one is judged for all that are equal.
    select min(k.oid) as sample, array_agg(t.oid) as relations
    from tenancy.each_of(tables) t join pg_constraint k on k.conrelid = t.oid
    where k.contype = 'c' and k.convalidated and k.conkey = array[t.attnum]
    group by t.attnum, k.conbin::text
  )
  select unnest(c.relations) from checks c join pg_constraint k on k.oid = c.sample where tenancy.refuses_empty(k.conbin, k.conrelid)
$$;
comment on function tenancy.non_empty_checks is 'Tables with a check that refuses an empty tenant_id.';


create function tenancy.audit_tables(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with protection as (
    select t.oid, t.relkind, t.relowner, t.attnum, t.atttypid, t.attcollation, t.attnotnull, t.relrowsecurity, t.relforcerowsecurity,
      t.relkind in ('r', 'p') and not t.is_child as is_plain,
      t.oid in (select p.polrelid from pg_policy p where p.polpermissive) as has_policy,
      t.oid in (
        select g.tgrelid from pg_trigger g
        -- 30: BEFORE, INSERT, UPDATE and DELETE, each STATEMENT. Fires ALWAYS, also where a session plays the replica.
        where g.tgfoid = 'tenancy.fence()'::regprocedure and g.tgtype = 30 and g.tgenabled = 'A'
          and g.tgqual is null and g.tgattr = ''::int2vector
      ) as has_fence,
      -- A child that application code can reach past its parent. Where it cannot, the parent's protection holds.
      t.is_child and (select true from tenancy.grants g where g.oid = t.oid limit 1) is true as is_open
    from unnest(tables) t
  ), t as materialized (
    select p.*, p.is_open and not (p.relrowsecurity and p.relforcerowsecurity and p.has_policy) as is_bypass from protection p
  ), guarded as (
    -- Where the parent's protection holds, or should, a child's own is not asked for.
    select * from t where is_plain or (is_open and not is_bypass)
  )
  select 1, oid::regclass::text, 'Row-level security is off: every tenant reads and writes all rows.',
    case when attnum is null then '-- Give the table a column tenant_id that leads its primary key, then select tenancy.protect(...).'
      else format('select tenancy.protect(%L)', oid::regclass) end
  from t where is_plain and not relrowsecurity
  union all
  select 2, oid::regclass::text, 'Row-level security is on, but no policy lets anybody in: nobody reads or writes anything.',
    format('select tenancy.protect(%L)', oid::regclass)
  from t where is_plain and relrowsecurity and not has_policy
  union all
  select 3, oid::regclass::text,
    format('Row-level security is not forced: the owner %s reads and writes all rows.', relowner::regrole),
    format('alter table %s force row level security', oid::regclass)
  from t where is_plain and relrowsecurity and not relforcerowsecurity
  union all
  select 5, t.oid::regclass::text, format('The application role %s owns the table and can switch its protection off.', r.rolname),
    format('alter table %s owner to %s', t.oid::regclass, (select nspowner::regrole from pg_namespace where nspname = 'tenancy'))
  from t join tenancy.application_roles r on r.oid = t.relowner
  union all
  select 10, t.oid::regclass::text,
    format('The child of a tenant table can be reached directly by %s, past the policy of its parent.', g.grantee),
    format('revoke all on %s from %s', t.oid::regclass, g.grantee)
  from t join (select distinct oid, grantee from tenancy.grants) g on g.oid = t.oid
  where t.relkind in ('r', 'p') and t.is_bypass
  union all
  select 10, h.ancestor::regclass::text,
    format('%s reaches the tenant table %s through what it inherits from, which has no policy.', g.grantee,
      min(h.inhrelid::regclass::text)),
    format('revoke all on %s from %s', h.ancestor::regclass, g.grantee)
  from t
  join tenancy.children h on h.inhrelid = t.oid and h.ancestor not in (select oid from t)
  -- The fence of an offset has these few looked up one by one.
  cross join lateral (select g.grantee from tenancy.grants g where g.oid = h.ancestor offset 0) g
  group by h.ancestor, g.grantee
  union all
  select 11, oid::regclass::text, 'Foreign tables have no row-level security: whoever may read it reads all rows.',
    format('drop foreign table %s', oid::regclass)
  from t where relkind = 'f'
  union all
  select 19, oid::regclass::text, 'The table has no column tenant_id text: its rows belong to nobody.',
    '-- Give the table a column tenant_id text that leads its primary key, then select tenancy.protect(...).'
  from guarded where relkind in ('r', 'p') and atttypid is distinct from 'text'::regtype
  union all
  select 19, oid::regclass::text, 'The collation of tenant_id takes different texts to be equal, so that one tenant is another.',
    format('-- Drop the policies of %s, alter table %1$s alter tenant_id type text collate "default", then select tenancy.protect(%1$L).',
      oid::regclass)
  from guarded where attcollation in (select l.oid from pg_collation l where not l.collisdeterministic)
  union all
  select 19, oid::regclass::text, 'tenant_id may be null: rows outside of every tenant.',
    format('alter table %s alter tenant_id set not null', oid::regclass)
  from guarded where atttypid = 'text'::regtype and not attnotnull
  union all
  select 19, oid::regclass::text, 'tenant_id may be empty text: what a setting reads as once it has been set in a session.',
    format($sql$alter table %s add check (tenant_id <> '')$sql$, oid::regclass)
  from guarded
  where atttypid = 'text'::regtype and attnotnull and oid not in (select c.oid from tenancy.non_empty_checks(tables) c)
  union all
  select 30, oid::regclass::text,
    'The fence is missing, or does not fire always before every statement that writes: writes reach a home that the tenant has left.',
    format('select tenancy.protect(%L)', oid::regclass)
  from guarded where not has_fence
$$;
comment on function tenancy.audit_tables is 'Classes 1, 2, 3, 5, 10, 11, 19 and 30.';
