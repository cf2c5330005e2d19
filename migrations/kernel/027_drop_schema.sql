-- Dropping a placement, a few relations a call: each takes locks and floods whoever caches the catalog.

create function tenancy.drop_statements(home oid) returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.statement from (
    select format('drop %s if exists %s cascade', case c.relkind when 'v' then 'view' when 'm' then 'materialized view'
        when 'S' then 'sequence' when 'f' then 'foreign table' else 'table' end, c.oid::regclass) as statement,
      -- What others depend on comes after them, so that little goes with it: views, then partitions, then their parents.
      case when c.relkind in ('v', 'm') then 0 when c.relkind = 'S' then 3
        when exists (select from pg_inherits i where i.inhparent = c.oid) then 2 else 1 end as place,
      -- The foreign keys of a parent would have to be taken from each of its children.
      coalesce(k.children, 0) as children, c.oid
    from pg_class c
    left join (
      select k.confrelid, count(*) as children from pg_constraint k
      where k.contype = 'f' and k.connamespace = home and k.conrelid <> k.confrelid group by k.confrelid
    ) k on k.confrelid = c.oid
    where c.relnamespace = home and c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not exists (
      select from pg_depend d
      where d.classid = 'pg_class'::regclass and d.objid = c.oid and (d.deptype = 'e' or c.relkind = 'S' and d.deptype in ('a', 'i'))
    )
    union all
    select format('drop routine if exists %s cascade', p.oid::regprocedure), 4, 0, p.oid
    from pg_proc p
    where p.pronamespace = home
      and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
  ) s
  order by s.place, s.children, s.oid desc
$$;
comment on function tenancy.drop_statements is
  'Drops everything of a schema that may be there by the hundred, a relation or function each: all but what belongs to another one, or to an '
  'extension. Granted to nobody.';


create function tenancy.drop_some(placement text, most integer, most_ms integer) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => most_ms / 1000.0);
  schema_ oid;
  statement text;
  left_over bigint;
  is_known boolean;
begin
  perform from tenancy.migration_targets t where t.target = placement::name for update;
  is_known := found;
  -- Only now, since whoever held the lock may have dropped it; and from the table, since to_regnamespace may still remember it.
  select n.oid into schema_ from pg_namespace n where n.nspname = placement::name;
  if not is_known and schema_ is null then
    return 0;
  elsif not is_known or placement in ('kernel', 'control') then
    raise exception 'The schema % is not for tenants', placement using errcode = '42P06';
  elsif exists (select from tenancy.placements p where p.schema = placement::name and p.state <> 'moved') then
    raise exception 'Tenants are at home in the schema %', placement using errcode = '55006', hint = 'Move or offboard them first.';
  end if;
  update tenancy.migration_targets t set dropping = true where t.target = placement::name and not t.dropping;
  perform set_config('lock_timeout', '3s', true);
  for statement in select * from tenancy.drop_statements(schema_) limit most loop
    execute statement;
    exit when clock_timestamp() > until;
  end loop;
  select count(*) into left_over from tenancy.drop_statements(schema_);
  if left_over > 0 then
    return left_over;
  end if;
  execute format('drop schema if exists %I cascade', placement);
  delete from tenancy.backfills b where b.target = placement::name;
  delete from tenancy.migrations m where m.target = placement::name;
  delete from tenancy.placements p where p.schema = placement::name;
  delete from tenancy.migration_targets t where t.target = placement::name;
  return 0;
end
$$;
comment on function tenancy.drop_some is
  'Drops some relations or functions of a placement in which nobody is at home, and at last its schema and all that is known of it. Returns '
  'how many are left; to be called until there are none, by anybody.';

select tenancy.seal('tenancy.drop_statements(oid)', 'tenancy.drop_some(text,integer,integer)');
