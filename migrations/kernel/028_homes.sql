-- Homes of tenants, as operations make, open, close and drop them. Where tenants are at home is for the owner of the kernel to say, with
-- whose rights these run; docs/decisions/0024-homes.md.

create function tenancy.home_of(tenant text) returns text
language sql immutable
return 't_' || replace(tenant, '-', '_');
comment on function tenancy.home_of is 'The schema, or the database, that is a tenant''s alone. No two tenants have the same: ids have no "_".';


create function tenancy.make_home(tenant text) returns setof text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if tenant is null or tenant !~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$' then
    raise exception 'No tenant can be called %', coalesce(tenant, 'null') using errcode = '22023';
  end if;
  return query select tenancy.provision(tenancy.home_of(tenant));
end
$$;
comment on function tenancy.make_home is
  'Makes the schema that is a tenant''s alone, with all published migrations. Returns their versions; none if it is there already.';


create function tenancy.place(tenant text, home text, new_state text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  if new_state is null or new_state not in ('active', 'suspended') then
    raise exception 'A placement is made active or suspended, not %', new_state using errcode = '22023';
  end if;
  if starts_with(home, 't_') and not exists (
      select from tenancy.placements p where p.tenant_id = tenant and p.schema = home::name and p.state <> 'moved') then
    -- Who drops the schema waits for us and then finds the tenant at home, or we for him. What tenants share nobody drops.
    perform from tenancy.migration_targets t where t.target = home::name for share;
  end if;
  if not exists (select from tenancy.fleet f where f.target = home::name) then
    raise exception 'This database has no placement %', home using errcode = 'TN004';
  elsif starts_with(home, 't_') and home <> tenancy.home_of(tenant) then
    raise exception 'The schema % is another tenant''s home', home using errcode = 'TN004';
  elsif exists (select from tenancy.placements p
      where p.tenant_id = tenant and (p.state = 'moving' or p.schema <> home::name and p.state <> 'moved')) then
    raise exception 'The tenant % is being moved, or is at home elsewhere', tenant using errcode = 'TN006';
  end if;
  perform tenancy.set_placement(tenant, home::name, new_state);
exception when unique_violation then
  -- Somebody else was faster.
  raise exception 'The tenant % is at home elsewhere', tenant using errcode = 'TN006';
end
$$;
comment on function tenancy.place is
  'Puts a tenant at home in a schema of this database, active or suspended, once its writes in flight are done.';


create function tenancy.displace(tenant text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  home name;
begin
  if exists (select from tenancy.placements p where p.tenant_id = tenant and p.state in ('active', 'moving')) then
    raise exception 'The tenant % is served here', tenant using errcode = '55006', hint = 'Suspend the tenant first.';
  end if;
  for home in select p.schema from tenancy.placements p where p.tenant_id = tenant loop
    -- Waits for writes in flight. Those that come later find no placement.
    perform tenancy.set_placement(tenant, home, 'moved');
  end loop;
  delete from tenancy.placements p where p.tenant_id = tenant;
end
$$;
comment on function tenancy.displace is 'Forgets where in this database a tenant lived that is not served any more.';


create function tenancy.drop_home(tenant text, most integer, most_ms integer) returns bigint
language sql security definer
set search_path = pg_catalog, pg_temp
as $$
  -- What is called so and is no placement is somebody else's.
  select case when exists (select from tenancy.migration_targets t where t.target = tenancy.home_of(tenant)::name)
    then tenancy.drop_some(tenancy.home_of(tenant), most, most_ms) else 0 end
$$;
comment on function tenancy.drop_home is
  'Drops some relations of the schema that is a tenant''s alone, and at last the schema. Returns how many are left; to be called until there '
  'are none. Leaves a schema alone that the kernel has not made.';


grant execute on function tenancy.make_home, tenancy.place, tenancy.displace, tenancy.drop_home to tenantry_operations;
select tenancy.seal('tenancy.home_of(text)', 'tenancy.make_home(text)', 'tenancy.place(text,text,text)', 'tenancy.displace(text)',
  'tenancy.drop_home(text,integer,integer)');
