-- The end of a tenant's rows, and the proof of it. The role of operations alone may call these.

create function tenancy.pointing_rows(target tenancy.row_table, tables tenancy.row_table[]) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format(' and not exists (select from %s c where c.tenant_id = $1 and (%s) = (%s)%s)', k.conrelid::regclass,
    (select string_agg(format('c.%I', a.attname), ', ' order by n)
      from unnest(k.conkey) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum),
    (select string_agg(format('t.%I', a.attname), ', ' order by n)
      from unnest(k.confkey) with ordinality u (attnum, n) join pg_attribute a on a.attrelid = k.confrelid and a.attnum = u.attnum),
    -- A row that points at itself goes with itself.
    case when k.conrelid = k.confrelid then (
      select format(' and (%s) is distinct from (%s)', 'row(' || string_agg(format('c.%I', key), ', ') || ')',
        'row(' || string_agg(format('t.%I', key), ', ') || ')') from unnest(target.keys) key) end), '')
  from pg_constraint k join unnest(tables) o on o.oid = k.conrelid
  where k.contype = 'f' and k.confrelid = target.oid
$$;

comment on function tenancy.pointing_rows is 'The condition that no other row of the tables points at the row t. Granted to nobody.';


create function tenancy.erase_from(tenant text, target tenancy.row_table, tables tenancy.row_table[], most integer) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  keys constant text := coalesce((select string_agg(format('t.%I', key), ', ') from unnest(target.keys) key), 't.tenant_id');
  gone integer;
begin
  execute format('delete from %1$s t where t.tenant_id = $1 and (%2$s) in (select %2$s from %1$s t where t.tenant_id = $1%3$s limit $2)',
    target.oid::regclass, keys, tenancy.pointing_rows(target, tables)) using tenant, most;
  get diagnostics gone = row_count;
  return gone;
end
$$;

comment on function tenancy.erase_from is 'Erases rows of one table at which no row points. Granted to nobody.';


create function tenancy.unlink_from(tenant text, target tenancy.row_table, most integer) returns integer
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  keys constant text := coalesce((select string_agg(format('t.%I', key), ', ') from unnest(target.keys) key), 't.tenant_id');
  links constant text := (select string_agg(format('t.%I', link), ', ') from unnest(target.late) link);
  changed integer := 0;
begin
  if links is not null then
    execute format('update %1$s t set %2$s where t.tenant_id = $1 and (%3$s) in '
        '(select %3$s from %1$s t where t.tenant_id = $1 and num_nonnulls(%4$s) > 0 limit $2)', target.oid::regclass,
      (select string_agg(format('%I = null', link), ', ') from unnest(target.late) link), keys, links) using tenant, most;
    get diagnostics changed = row_count;
  end if;
  return changed;
end
$$;

comment on function tenancy.unlink_from is 'Lets rows that point at each other go of each other. Granted to nobody.';


create function tenancy.erase_rows(tenant text, home text, most integer) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  tables constant tenancy.row_table[] := array(select t from tenancy.row_tables(home) t order by t.place desc);
  before constant text := tenancy.act_as(tenant, home, true);
  target tenancy.row_table;
  is_left boolean;
  gone integer := 0;
  unlinked integer;
begin
  loop
    is_left := false;
    unlinked := 0;
    foreach target in array tables loop
      gone := gone + tenancy.erase_from(tenant, target, tables, most - gone);
      exit when gone >= most;
    end loop;
    exit when gone > 0;
    foreach target in array tables loop
      execute format('select $2 or exists (select from %s t where t.tenant_id = $1)', target.oid::regclass)
        into is_left using tenant, is_left;
      unlinked := unlinked + tenancy.unlink_from(tenant, target, most);
    end loop;
    exit when not is_left;
    if unlinked = 0 then
      raise exception 'Rows of the tenant % in % point at each other in a circle', tenant, home using errcode = '23503',
        hint = 'Make one of the columns by which they do nullable.';
    end if;
  end loop;
  perform tenancy.act_no_more(tenant, home, before);
  return gone;
end
$$;
grant execute on function tenancy.erase_rows to tenantry_operations;

comment on function tenancy.erase_rows is
  'Erases rows of a suspended tenant, so many at most, children before parents. Returns how many; 0: there are none left.';


create function tenancy.count_outside(tenant text, target oid) returns bigint
language plpgsql
set search_path = pg_catalog, pg_temp
-- A policy that is not the kernel's could hide rows: then this fails instead.
set row_security = off
as $$
declare
  found_ bigint;
begin
  execute format('select count(*) from %s t where t.tenant_id::text = $1', target::regclass) into found_ using tenant;
  return found_;
exception when insufficient_privilege then
  return null;
end
$$;

comment on function tenancy.count_outside is
  'Rows of a tenant in a table that the kernel does not protect; null if they cannot be seen. Granted to nobody.';


create function tenancy.find_rows(tenant text) returns table (relation text, schema text, held bigint)
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  home text;
  before text;
  target record;
begin
  for home in
    select distinct t.schema from tenancy.tenant_tables t
    -- What is another tenant's alone takes rows of that tenant alone, and there may be thousands, which come and go.
    where t.in_placement and (not starts_with(t.schema, 't_') or t.schema = tenancy.home_of(tenant)) order by 1
  loop
    before := tenancy.act_as(tenant, home, false);
    for target in select * from tenancy.row_tables(home) loop
      relation := target.oid::regclass;
      schema := home;
      execute format('select count(*) from %s t where t.tenant_id = $1', relation) into held using tenant;
      return next;
    end loop;
    perform tenancy.act_no_more(tenant, home, before);
  end loop;
  for target in
    select c.oid, n.nspname from pg_class c
    join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id' and not a.attisdropped
    join pg_namespace n on n.oid = c.relnamespace and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
    where c.relkind in ('r', 'p', 'm', 'f') and not c.relispartition and c.relpersistence <> 't'
      and c.oid not in (
        select t.oid from tenancy.tenant_tables t where t.in_placement and t.relkind in ('r', 'p') and not t.is_child)
    order by c.oid::regclass::text
  loop
    relation := target.oid::regclass;
    schema := target.nspname;
    held := tenancy.count_outside(tenant, target.oid);
    return next;
  end loop;
end
$$;
grant execute on function tenancy.find_rows to tenantry_operations;

comment on function tenancy.find_rows is
  'How many rows of a tenant each table of this database has that has a column tenant_id, whatever schema it is in and wherever the tenant '
  'is at home; null where that cannot be seen. Homes of other tenants are left out: policies let no row of it in.';


select tenancy.seal('tenancy.pointing_rows(tenancy.row_table,tenancy.row_table[])',
  'tenancy.erase_from(text,tenancy.row_table,tenancy.row_table[],integer)', 'tenancy.unlink_from(text,tenancy.row_table,integer)',
  'tenancy.erase_rows(text,text,integer)', 'tenancy.count_outside(text,oid)', 'tenancy.find_rows(text)');
