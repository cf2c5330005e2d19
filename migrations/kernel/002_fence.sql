-- The fence: no write reaches a home that the tenant has left, or is leaving.

create function tenancy.fence() returns trigger
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set plan_cache_mode = force_generic_plan
as $$
declare
  tenant constant text := tenancy.current_tenant(tg_table_schema);
  home tenancy.placements;
begin
  -- Under any other level the re-check below would see the world from before the lock.
  if current_setting('transaction_isolation') <> 'read committed' then
    raise exception 'Tenant data is written under READ COMMITTED only' using errcode = 'TN007',
      hint = 'Start the transaction without an isolation level.';
  end if;
  select * into home from tenancy.placements where tenant_id = tenant and schema = tg_table_schema;
  perform pg_advisory_xact_lock_shared(home.lock_key);
  -- A statement of its own, so that it sees what was committed while we waited for the lock.
  select * into home from tenancy.placements where tenant_id = tenant and schema = tg_table_schema;
  if home.state is distinct from 'active' then
    perform tenancy.refuse(
      case home.state when 'moving' then 'TN006' when 'suspended' then 'TN005' else 'TN004' end, tenant, tg_table_schema);
  end if;
  return null;
end
$$;

comment on function tenancy.fence is
  'Trigger of every tenant table: shares the tenant''s lock with other writes and re-checks that the tenant is still at home.';


create function tenancy.set_placement(tenant text, home name, new_state text) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  key bigint;
begin
  insert into tenancy.placements (tenant_id, schema, state) values (tenant, home, new_state)
    on conflict (tenant_id, schema) do nothing;
  select lock_key into key from tenancy.placements where tenant_id = tenant and schema = home;
  -- Waits for writes in flight; those that come later wait for us and then see the new state.
  perform pg_advisory_xact_lock(key);
  update tenancy.placements set state = new_state where tenant_id = tenant and schema = home;
end
$$;

comment on function tenancy.set_placement is
  'Puts a tenant into a state (active, suspended, moving, moved) in a schema, once its writes in flight are done.';
