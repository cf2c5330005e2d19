-- Acting for a tenant without a request of its own: how operations export, restore and erase rows. What acts is as bound by policies as
-- a request is; see docs/decisions/0017-operations-act-as-the-tenant.md.

grant usage on schema tenancy to tenantry_operations;


create function tenancy.mint(tenant text) returns text
language sql
set search_path = pg_catalog, pg_temp
as $$
  select c.payload || '.' || rtrim(translate(
    encode(sha256(k.outer_pad || sha256(k.inner_pad || convert_to(c.payload, 'UTF8'))), 'base64'), '+/', '-_'), '=')
  from (select * from tenancy.signing_keys order by key_id limit 1) k,
    -- Longer than any statement may take.
    concat_ws('.', 'v1', k.key_id, tenant, ceil(extract(epoch from clock_timestamp()) + 60)::bigint) c (payload)
$$;

comment on function tenancy.mint is 'A capability for a tenant, good for a minute. Granted to nobody.';


create function tenancy.act_as(tenant text, home text, writes boolean) returns text
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  before text := (select p.state from tenancy.placements p where p.tenant_id = tenant and p.schema = home);
begin
  perform set_config('tenancy.capability', tenancy.mint(tenant), true);
  if not writes and before in ('active', 'moving') then
    return before;
  end if;
  -- In the order in which set_placement takes them: first the fence's lock, which waits for writes in flight, then the row.
  perform pg_advisory_xact_lock(p.lock_key) from tenancy.placements p where p.tenant_id = tenant and p.schema = home;
  before := (select p.state from tenancy.placements p where p.tenant_id = tenant and p.schema = home for update);
  if writes and before is distinct from 'suspended' then
    raise exception 'The tenant % is %: rows are erased or restored while it is suspended', tenant,
      coalesce(before, 'not at home in ' || home) using errcode = '55006', hint = 'Suspend the tenant first.';
  elsif before in ('active', 'moving') then
    -- Somebody has let it in while we waited for the lock: nothing is to be changed, nor put back.
    return before;
  end if;
  -- For this transaction alone: nobody else sees it before act_no_more has put it back. Who only reads need not be at home for that.
  insert into tenancy.placements (tenant_id, schema, state) values (tenant, home, case when writes then 'active' else 'acting' end)
    on conflict (tenant_id, schema) do update set state = excluded.state;
  return before;
end
$$;

comment on function tenancy.act_as is
  'Makes policies and fence answer for a tenant that nobody is served for, until act_no_more. Returns the state of its placement, null if '
  'it has none, for act_no_more to put back. Granted to nobody.';


create function tenancy.act_no_more(tenant text, home text, before text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  -- A transaction that only reads may not even try.
  if before is null then
    delete from tenancy.placements p where p.tenant_id = tenant and p.schema = home;
  elsif before not in ('active', 'moving') then
    update tenancy.placements p set state = before where p.tenant_id = tenant and p.schema = home;
  end if;
  -- Whoever fails before this has it taken away with all else that he did.
  perform set_config('tenancy.capability', '', true);
end
$$;

comment on function tenancy.act_no_more is 'Puts back what act_as has changed, and takes the capability away. Granted to nobody.';


create type tenancy.row_table as (oid oid, name text, place integer, keys text[], late text[]);
comment on type tenancy.row_table is
  'A protected table: its place among those of its schema, parents first; the columns of its primary key but tenant_id; and those by which '
  'its rows point at rows that come later, in itself or in a cycle of tables.';


create function tenancy.row_tables(home text) returns setof tenancy.row_table
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  left_over oid[] := array(
    select t.oid from tenancy.tenant_tables t
    where t.schema = home and t.in_placement and t.relkind in ('r', 'p') and not t.is_child
    order by t.oid::regclass::text
  );
  target tenancy.row_table;
begin
  target.place := 0;
  while left_over <> '{}' loop
    target.place := target.place + 1;
    -- One without parents that are still to come. In a cycle there is none, and the first one is as good as any.
    select l.oid, c.relname into target.oid, target.name
      from unnest(left_over) with ordinality l (oid, place) join pg_class c on c.oid = l.oid
      order by exists (
        select from pg_constraint k
        where k.contype = 'f' and k.conrelid = l.oid and k.confrelid <> l.oid and k.confrelid = any (left_over)
      ), l.place limit 1;
    if not exists (select from pg_class c where c.oid = target.oid and c.relrowsecurity and c.relforcerowsecurity) then
      raise exception 'The table % is not protected', target.oid::regclass using errcode = 'TN008',
        hint = format('select tenancy.protect(%L)', target.oid::regclass);
    end if;
    target.keys := array(
      select a.attname from pg_index i
      cross join lateral unnest(i.indkey::smallint[]) with ordinality k (attnum, place)
      join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.attnum
      where i.indrelid = target.oid and i.indisprimary and a.attname <> 'tenant_id' order by k.place
    );
    target.late := array(
      select distinct a.attname from pg_constraint k
      join pg_attribute a on a.attrelid = k.conrelid and a.attnum = any (k.conkey)
      where k.contype = 'f' and k.conrelid = target.oid and k.confrelid = any (left_over) and not a.attnotnull
    );
    left_over := array_remove(left_over, target.oid);
    return next target;
  end loop;
end
$$;

comment on function tenancy.row_tables is
  'The protected tables of a schema, parents before children. Refuses a schema with a table that no policy protects. Granted to nobody.';


select tenancy.seal('tenancy.mint(text)', 'tenancy.act_as(text,text,boolean)', 'tenancy.act_no_more(text,text,text)',
  'tenancy.row_tables(text)');
