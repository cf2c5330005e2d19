-- Dropping a placement, a few tables a call: each table takes locks and floods whoever caches the catalog.

create function tenancy.drop_some(placement text, most integer, most_ms integer) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => most_ms / 1000.0);
  schema_ oid;
  relation regclass;
  left_over bigint;
  is_known boolean;
begin
  perform from tenancy.migration_targets t where t.target = placement::name for update;
  is_known := found;
  -- Only now: whoever held the lock may have dropped it.
  schema_ := to_regnamespace(quote_ident(placement));
  if not is_known and schema_ is null then
    return 0;
  elsif not is_known or placement in ('kernel', 'control') then
    raise exception 'The schema % is not for tenants', placement using errcode = '42P06';
  elsif exists (select from tenancy.placements p where p.schema = placement::name and p.state <> 'moved') then
    raise exception 'Tenants are at home in the schema %', placement using errcode = '55006', hint = 'Move or offboard them first.';
  end if;
  update tenancy.migration_targets t set dropping = true where t.target = placement::name and not t.dropping;
  perform set_config('lock_timeout', '3s', true);
  for relation in
    select c.oid::regclass from pg_class c
    left join (
      select k.confrelid, count(*) as children from pg_constraint k
      where k.contype = 'f' and k.connamespace = schema_ and k.conrelid <> k.confrelid group by k.confrelid
    ) k on k.confrelid = c.oid
    where c.relnamespace = schema_ and c.relkind in ('r', 'p', 'f') and not c.relispartition
    -- Children first: the foreign keys of a parent would have to be taken from each of them.
    order by coalesce(k.children, 0), c.oid limit most
  loop
    -- What depends on a tenant's table goes with it.
    execute format('drop table %s cascade', relation);
    exit when clock_timestamp() > until;
  end loop;
  select count(*) into left_over from pg_class c where c.relnamespace = schema_ and c.relkind in ('r', 'p', 'f') and not c.relispartition;
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
  'Drops some tables of a placement in which nobody is at home, and at last its schema and all that is known of it. Returns how many '
  'tables are left; to be called until there are none, by anybody.';

select tenancy.seal('tenancy.drop_some(text,integer,integer)');
