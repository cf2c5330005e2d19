-- The audit of what Postgres keeps about rows besides them: statistics of values, and how many rows meet a predicate.

create function tenancy.audit_values(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with t as materialized (
    select t.oid, t.attnum, t.has_values from tenancy.each_of(tables) t
    -- Whether a table is protected at all is a matter of other classes.
    where t.relkind in ('r', 'p') and t.attnum is not null and (t.relrowsecurity or t.is_child)
  ), indexes as materialized (
    select i.indexrelid, i.indrelid, i.indkey, i.indpred, i.indisunique, t.attnum
    -- The fence of an offset has these few found first, instead of asking for the indexes of each table.
    from (select * from pg_index i where i.indexprs is not null or i.indpred is not null offset 0) i join t on t.oid = i.indrelid
  )
  select 34, v.relation::regclass::text,
    'ANALYZE puts values of all tenants into the statistics, by which the planner chooses for every tenant: what it does tells them.',
    -- From the parent on, since only that is sure to be protected.
    format('select tenancy.hide_values(%L)', coalesce((
      select h.ancestor from tenancy.children h
      where h.inhrelid = v.oid and h.ancestor in (select oid from t)
        and not exists (select from tenancy.children o where o.inhrelid = h.ancestor and o.ancestor in (select oid from t))
      limit 1
    ), v.oid)::regclass)
  from (
    select t.oid, t.oid as relation from t where t.has_values
    union
    select i.indrelid, i.indexrelid
    from indexes i join pg_attribute a on a.attrelid = i.indexrelid and i.indkey[a.attnum - 1] = 0
    where a.attstattarget is distinct from 0
  ) v
  union all
  select 34, format('statistics %I.%I', s.stxnamespace::regnamespace, s.stxname),
    format('The extended statistics of %s hold values of all tenants, by which the planner chooses for every tenant.', s.stxrelid::regclass),
    format('drop statistics %I.%I', s.stxnamespace::regnamespace, s.stxname)
  from pg_statistic_ext s join t on t.oid = s.stxrelid
  union all
  select 37, format('%s on %s', i.indexrelid::regclass, i.indrelid::regclass),
    'The size of the partial index tells how many rows of all tenants meet its predicate.',
    case when i.indisunique then '-- Make it anew without the predicate, or let the predicate name tenant_id alone.' else format(
      'do $mend$ begin drop index %s; %s; end $mend$', i.indexrelid::regclass,
      regexp_replace(pg_get_indexdef(i.indexrelid), ' WHERE .*$', '')) end
  from indexes i
  where exists (select from regexp_matches(i.indpred::text, ':varattno (\d+)', 'g') m where m[1]::smallint <> i.attnum)
  union all
  select 37, p.partrelid::regclass::text,
    'The sizes of partitions tell how many rows of all tenants have which values.',
    '-- Partition the table by tenant_id, or by time.'
  from pg_partitioned_table p join t on t.oid = p.partrelid
  -- How much is written when, sizes tell in any case.
  where p.partstrat in ('l', 'r') and (p.partexprs is not null or exists (
    select from pg_attribute a
    where a.attrelid = p.partrelid and a.attnum = any (p.partattrs::smallint[]) and a.attnum <> t.attnum
      and (p.partstrat = 'l' or a.atttypid not in ('date'::regtype, 'timestamp'::regtype, 'timestamptz'::regtype))
  ))
$$;
comment on function tenancy.audit_values is 'Classes 34 and 37.';
