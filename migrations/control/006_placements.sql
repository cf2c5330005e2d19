-- Where tenants are at home is for the owner of the kernel to say. The control plane gets what its operations need of that, for tenants
-- that the registry has in this database's pool.

create function registry.place_tenant(tenant text, new_state text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  home name;
begin
  if new_state is null or new_state not in ('active', 'suspended') then
    raise exception 'A placement is made active or suspended, not %', new_state using errcode = '22023';
  end if;
  -- Shared with whoever else places this tenant, so that the registry says the same until this is done.
  select t.schema into home from registry.tenants t
    where t.tenant_id = tenant and t.model = 'pool' and t.schema = 'pool' and t.database = current_database()
      and t.cluster = coalesce((select c.name from tenancy.cluster c), t.cluster)
    for share;
  if home is null then
    raise exception 'The registry does not have the tenant % in the pool of this database', tenant using errcode = 'TN004';
  end if;
  if exists (select from tenancy.placements p
      where p.tenant_id = tenant and (p.state = 'moving' or p.schema <> home and p.state <> 'moved')) then
    raise exception 'The tenant % is being moved, or is at home elsewhere', tenant using errcode = 'TN006';
  end if;
  perform tenancy.set_placement(tenant, home, new_state);
end
$$;
grant execute on function registry.place_tenant to tenantry_control;

comment on function registry.place_tenant is
  'Puts a tenant at home in the pool, active or suspended, once its writes in flight are done. Runs as the owner of the kernel.';


create function registry.remove_placement(tenant text) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  home name;
begin
  perform from registry.tenants t where t.tenant_id = tenant and t.state in ('active', 'suspended') for share;
  if found then
    raise exception 'The tenant % is served: a placement is removed before its tenant is, or after', tenant using errcode = '55006',
      hint = 'Offboard the tenant.';
  end if;
  for home in select p.schema from tenancy.placements p where p.tenant_id = tenant loop
    -- Waits for writes in flight. Those that come later find no placement.
    perform tenancy.set_placement(tenant, home, 'moved');
  end loop;
  delete from tenancy.placements p where p.tenant_id = tenant;
end
$$;
grant execute on function registry.remove_placement to tenantry_control;

comment on function registry.remove_placement is
  'Forgets where in this database a tenant lived that is not served yet, or no more. Runs as the owner of the kernel.';


-- Both write the kernel's placements with the rights of their owner, as they have to.
select tenancy.seal('registry.place_tenant(text,text)', 'registry.remove_placement(text)');
