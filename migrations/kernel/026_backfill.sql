-- Backfills: a statement for each tenant, as that tenant, in batches that hold locks for a moment only.

create table tenancy.backfills (
  target name not null,
  version text not null,
  tenant_id text not null,
  -- Of the edition that ran last.
  checksum text not null,
  rows bigint not null default 0,
  -- How many may be written before somebody counts how many there are.
  most_rows bigint not null default 10000,
  is_done boolean not null default false,
  -- The run in which it has failed last, how often, and why.
  run text,
  attempts integer not null default 0,
  sqlstate text,
  error text,
  primary key (target, version, tenant_id)
);
revoke all on tenancy.backfills from public;
comment on table tenancy.backfills is 'How far migrations that run as each tenant have come.';


create function tenancy.count_rows(placement text, tenant text) returns bigint
language plpgsql
as $$
declare
  target tenancy.row_table;
  counted bigint;
  total bigint := 0;
begin
  for target in select * from tenancy.row_tables(placement) loop
    execute format('select count(*) from %s t where t.tenant_id = $1', target.oid::regclass) into counted using tenant;
    total := total + counted;
  end loop;
  return total;
end
$$;
comment on function tenancy.count_rows is 'How many rows the tenant has for whom the transaction acts. Granted to nobody.';


-- Three times what there is, and room for a start: whoever writes more than that finds the same rows again and again.
create function tenancy.backfill_batch(placement text, tenant text, sql text, written bigint, inout most bigint, out affected bigint)
language plpgsql
as $$
declare
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
  if written + affected > most then
    most := 3 * tenancy.count_rows(placement, tenant) + 10000;
    if written + affected > most then
      raise exception 'It has written % rows, which is more than there are, and does not come to an end', written + affected
        using errcode = '54000', hint = 'It is repeated until it writes no row, so it has to find less each time.';
    end if;
  end if;
  perform set_config('tenancy.capability', '', true);
  if was_suspended then
    update tenancy.placements p set state = 'suspended' where p.tenant_id = tenant and p.schema = placement::name;
  end if;
end
$$;
comment on function tenancy.backfill_batch is
  'Runs a statement as a tenant, under the policies, and returns the number of rows that it wrote, and how many may be written in all until '
  'they are counted. Granted to nobody.';


create function tenancy.backfill_tenant(placement text, file tenancy.migration_files, tenant text, until timestamptz) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  progress tenancy.backfills;
  batch record;
begin
  insert into tenancy.backfills as b (target, version, tenant_id, checksum) values (placement, file.version, tenant, file.checksum)
  on conflict on constraint backfills_pkey do update set checksum = excluded.checksum,
    rows = case when b.checksum = excluded.checksum then b.rows else 0 end
  returning * into progress;
  loop
    batch := tenancy.backfill_batch(placement, tenant, file.sql, progress.rows, progress.most_rows);
    progress.rows := progress.rows + batch.affected;
    progress.most_rows := batch.most;
    exit when batch.affected = 0 or clock_timestamp() > until;
  end loop;
  update tenancy.backfills b
    set rows = progress.rows, most_rows = progress.most_rows, is_done = batch.affected = 0, sqlstate = null, error = null
    where b.target = placement::name and b.version = file.version and b.tenant_id = tenant;
  return batch.affected = 0;
end
$$;
comment on function tenancy.backfill_tenant is
  'Repeats a statement as a tenant until it finds nothing more to do, which it tells, or time is up.';


create function tenancy.write_backfill_failure(
  placement text, file tenancy.migration_files, tenant text, run text, sqlstate_ text, error text
) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  insert into tenancy.backfills as b (target, version, tenant_id, checksum, run, attempts, sqlstate, error)
    values (placement, file.version, tenant, file.checksum, write_backfill_failure.run, 1, sqlstate_, left(write_backfill_failure.error, 1000))
  on conflict on constraint backfills_pkey do update set
    attempts = case when b.run = excluded.run then b.attempts + 1 else 1 end,
    run = excluded.run, sqlstate = excluded.sqlstate, error = excluded.error
$$;
comment on function tenancy.write_backfill_failure is 'Writes down that a backfill has failed for a tenant, and why.';


create function tenancy.tenants_to_backfill(placement text, of_version text, of_run text) returns table (tenant_id text, state text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select p.tenant_id, case
      when b.run = of_run and b.sqlstate is not null and (b.attempts >= 3 or b.sqlstate not in ('55P03', '40P01', '40001')) then 'failed'
      when p.state = 'moving' then 'moving'
      else 'ready' end
  from tenancy.placements p
  left join tenancy.backfills b on b.target = p.schema and b.version = of_version and b.tenant_id = p.tenant_id
  where p.schema = placement::name and p.state <> 'moved' and b.is_done is not true
  order by p.tenant_id
$$;
comment on function tenancy.tenants_to_backfill is
  'Tenants at home in a placement that a backfill is not done with: ready for it, being moved, which ends soon, or failed in this run.';


create function tenancy.failed_backfill(placement text, of_version text, of_run text, out sqlstate_ text, out error text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select (array_agg(b.sqlstate order by b.tenant_id))[1],
    format('Migration %s of %s failed for %s: %s', of_version, placement,
      case count(*) when 1 then 'the tenant ' || min(b.tenant_id)
        else format('%s tenants (%s%s)', count(*), array_to_string((array_agg(b.tenant_id order by b.tenant_id))[1:5], ', '),
          case when count(*) > 5 then ', …' else '' end) end,
      (array_agg(b.error order by b.tenant_id))[1])
  from tenancy.tenants_to_backfill(placement, of_version, of_run) t
  join tenancy.backfills b on b.target = placement::name and b.version = of_version and b.tenant_id = t.tenant_id
  where t.state = 'failed'
$$;
comment on function tenancy.failed_backfill is 'For whom a backfill has failed in a placement, and why for the first of them.';


create function tenancy.backfill_some(run text, only_ text[], most_ms integer) returns setof json
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  until constant timestamptz := clock_timestamp() + make_interval(secs => most_ms / 1000.0);
  placement name;
  file tenancy.migration_files;
  tenant text;
  is_through boolean;
  state text;
  problem text;
  is_left boolean;
begin
  lock table tenancy.migration_files in row exclusive mode;
  perform set_config('lock_timeout', '3s', true);
  select t.target into placement from tenancy.migration_targets t
    where t.target in (
      select n.target from tenancy.next_files(only_) n where n.mode = 'each-tenant' and n.target not in (select tenancy.given_up(run))
        -- Where all are done but those that are being moved there is nothing to do yet.
        and (n.target not in (select p.schema from tenancy.placements p where p.state = 'moving')
          or exists (select from tenancy.tenants_to_backfill(n.target, n.version, run) b where b.state = 'ready'))
    ) and not t.dropping
    order by t.target limit 1 for update skip locked;
  -- Read anew, as in migrate_some.
  select f.* into file from tenancy.migration_files f join tenancy.next_files(array[placement::text]) n on n.version = f.version
    where n.mode = 'each-tenant';
  if not found then
    return;
  end if;
  for tenant in select b.tenant_id from tenancy.tenants_to_backfill(placement, file.version, run) b where b.state = 'ready' loop
    begin
      is_through := tenancy.backfill_tenant(placement, file, tenant, until);
    exception when query_canceled or assert_failure or others then
      get stacked diagnostics state = returned_sqlstate, problem = message_text;
      is_through := true;
      -- Who has moved meanwhile, or is being moved, is no failure: the next call sees where the tenant is.
      if state not in ('TN004', 'TN006') then
        perform tenancy.write_backfill_failure(placement, file, tenant, run, state, problem);
      end if;
    end;
    exit when not is_through or clock_timestamp() > until;
  end loop;
  select coalesce(bool_or(b.state <> 'failed'), false) into is_left from tenancy.tenants_to_backfill(placement, file.version, run) b;
  select f.sqlstate_, f.error into state, problem from tenancy.failed_backfill(placement, file.version, run) f;
  if is_left then
    insert into tenancy.migrations as m (target, version, checksum, state, run, started_at, attempts)
      values (placement, file.version, file.checksum, 'running', backfill_some.run, clock_timestamp(), 0)
    on conflict on constraint migrations_pkey do update set checksum = excluded.checksum, state = 'running', error = null, sqlstate = null,
      attempts = case when m.run = excluded.run then m.attempts else 0 end, run = excluded.run;
    return next json_build_object('placement', placement, 'applied', json_build_array(), 'complete', false);
  elsif state is not null then
    perform tenancy.write_failure(placement, file.version, run, state, problem);
    return next json_build_object('placement', placement, 'failed', file.version, 'sqlstate', state, 'error', problem);
  else
    perform tenancy.apply_migration(placement, file.version, file.checksum, '', run);
    return next json_build_object('placement', placement, 'applied', json_build_array(file.version),
      'complete', not exists (select from tenancy.next_files(array[placement::text])));
  end if;
end
$$;
comment on function tenancy.backfill_some is
  'Goes on with one placement whose next migration runs as each tenant. What a call has done stays done, whatever becomes of the next one, '
  'and a tenant for whom it fails keeps none behind it waiting.';


select tenancy.seal('tenancy.backfills', 'tenancy.count_rows(text,text)', 'tenancy.backfill_batch(text,text,text,bigint,bigint)',
  'tenancy.backfill_tenant(text,tenancy.migration_files,text,timestamp with time zone)',
  'tenancy.write_backfill_failure(text,tenancy.migration_files,text,text,text,text)',
  'tenancy.tenants_to_backfill(text,text,text)', 'tenancy.failed_backfill(text,text,text)',
  'tenancy.backfill_some(text,text[],integer)');
