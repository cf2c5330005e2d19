-- Backfills: a statement for each tenant, as that tenant, in batches that hold locks for a moment only.

create table tenancy.backfills (
  target name not null,
  version text not null,
  tenant_id text not null,
  rows bigint not null default 0,
  is_done boolean not null default false,
  primary key (target, version, tenant_id)
);
revoke all on tenancy.backfills from public;
comment on table tenancy.backfills is 'How far migrations that run as each tenant have come.';


create function tenancy.backfill_batch(placement text, tenant text, sql text) returns bigint
language plpgsql
as $$
declare
  affected bigint;
  lock_key_ constant bigint := (select p.lock_key from tenancy.placements p where p.tenant_id = tenant and p.schema = placement::name);
  was_suspended boolean;
begin
  select p.state = 'suspended' into was_suspended from tenancy.placements p where p.tenant_id = tenant and p.schema = placement::name;
  if was_suspended then
    -- In the order in which set_placement takes them. Nobody else sees the state of this transaction.
    perform pg_advisory_xact_lock(lock_key_);
    update tenancy.placements p set state = 'active'
      where p.tenant_id = tenant and p.schema = placement::name and p.state = 'suspended';
    was_suspended := found;
  end if;
  perform set_config('tenancy.capability', tenancy.mint(tenant), true);
  perform set_config('search_path', quote_ident(placement) || ', pg_temp', true);
  execute sql;
  get diagnostics affected = row_count;
  set constraints all immediate;
  perform set_config('tenancy.capability', '', true);
  if was_suspended then
    update tenancy.placements p set state = 'suspended' where p.tenant_id = tenant and p.schema = placement::name;
  end if;
  return affected;
end
$$;
comment on function tenancy.backfill_batch is
  'Runs a statement as a tenant, under the policies, and returns the number of rows that it wrote. Granted to nobody.';


create function tenancy.backfill_tenant(placement text, file tenancy.migration_files, tenant text, until timestamptz) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  affected bigint;
begin
  loop
    affected := tenancy.backfill_batch(placement, tenant, file.sql);
    insert into tenancy.backfills as b (target, version, tenant_id, rows, is_done)
      values (placement, file.version, tenant, affected, affected = 0)
    on conflict on constraint backfills_pkey do update set rows = b.rows + excluded.rows, is_done = excluded.is_done;
    exit when affected = 0 or clock_timestamp() > until;
  end loop;
  return affected = 0;
end
$$;
comment on function tenancy.backfill_tenant is
  'Repeats a statement as a tenant until it finds nothing more to do, which it tells, or time is up.';


create function tenancy.tenants_to_backfill(placement text, of_version text) returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.tenant_id from tenancy.placements p
  where p.schema = placement::name and p.state <> 'moved' and not exists (
    select from tenancy.backfills b
    where b.target = p.schema and b.version = of_version and b.tenant_id = p.tenant_id and b.is_done
  ) order by p.tenant_id
$$;
comment on function tenancy.tenants_to_backfill is 'Tenants at home in a placement that a backfill is not done with.';


create function tenancy.backfill_some(run text, only_ text[], most_ms integer) returns setof json
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => most_ms / 1000.0);
  placement name;
  file tenancy.migration_files;
  tenant text;
  state text;
  problem text;
begin
  lock table tenancy.migration_files in row exclusive mode;
  perform set_config('lock_timeout', '3s', true);
  select t.target into placement from tenancy.migration_targets t
    where t.target in (
      select n.target from tenancy.next_files(only_) n where n.mode = 'each-tenant' and n.target not in (select tenancy.given_up(run))
    ) and not t.dropping
    order by t.target limit 1 for update skip locked;
  -- Read anew, as in migrate_some.
  select f.* into file from tenancy.migration_files f join tenancy.next_files(array[placement::text]) n on n.version = f.version
    where n.mode = 'each-tenant';
  if not found then
    return;
  end if;
  begin
    for tenant in select * from tenancy.tenants_to_backfill(placement, file.version) loop
      exit when not tenancy.backfill_tenant(placement, file, tenant, until) or clock_timestamp() > until;
    end loop;
  exception when query_canceled or assert_failure or others then
    get stacked diagnostics state = returned_sqlstate, problem = message_text;
    problem := format('Migration %s of %s failed for the tenant %s: %s', file.version, placement, tenant, problem);
    perform tenancy.write_failure(placement, file.version, run, state, problem);
    return next json_build_object('placement', placement, 'failed', file.version, 'sqlstate', state, 'error', problem);
    return;
  end;
  if exists (select from tenancy.tenants_to_backfill(placement, file.version)) then
    insert into tenancy.migrations as m (target, version, checksum, state, run, started_at, attempts)
      values (placement, file.version, file.checksum, 'running', backfill_some.run, clock_timestamp(), 0)
    on conflict on constraint migrations_pkey do update set state = 'running', error = null, sqlstate = null,
      attempts = case when m.run = excluded.run then m.attempts else 0 end, run = excluded.run;
    return next json_build_object('placement', placement, 'applied', json_build_array(), 'complete', false);
  else
    perform tenancy.apply_migration(placement, file.version, file.checksum, '', run);
    return next json_build_object('placement', placement, 'applied', json_build_array(file.version),
      'complete', not exists (select from tenancy.next_files(array[placement::text])));
  end if;
end
$$;
comment on function tenancy.backfill_some is
  'Goes on with one placement whose next migration runs as each tenant. What a call has done stays done, whatever becomes of the next one.';


select tenancy.seal('tenancy.backfills', 'tenancy.backfill_batch(text,text,text)',
  'tenancy.backfill_tenant(text,tenancy.migration_files,text,timestamp with time zone)',
  'tenancy.tenants_to_backfill(text,text)', 'tenancy.backfill_some(text,text[],integer)');
