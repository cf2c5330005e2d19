-- The outbox: events are written with what they tell of, in one transaction, and published afterwards.

create table registry.event_sequences (
  tenant_id text primary key,
  last bigint not null
);
revoke all on registry.event_sequences from public;
grant select, insert, update on registry.event_sequences to tenantry_control;

comment on table registry.event_sequences is
  'Number of each tenant''s last event. Outlives the tenant, so that one that comes again does not count from the start.';


create table registry.events (
  id uuid primary key default gen_random_uuid(),
  tenant_id text not null,
  sequence bigint not null,
  type text not null,
  detail jsonb not null,
  created_at timestamptz not null default now(),
  published_at timestamptz,
  unique (tenant_id, sequence)
);
revoke all on registry.events from public;
grant select, insert, update (published_at) on registry.events to tenantry_control;

comment on table registry.events is 'Lifecycle events. Each is published at least once, those of a tenant in the order of their sequence.';

create index events_unpublished on registry.events (created_at, tenant_id, sequence) where published_at is null;
comment on index registry.events_unpublished is 'What is still to be published.';


create function registry.emit(tenant text, event_type text, event_detail jsonb) returns void
language sql
set search_path = pg_catalog, pg_temp
as $$
  -- The row of the sequence stays locked until the transaction ends, so events are seen in the order of their numbers.
  with next as (
    insert into registry.event_sequences as s (tenant_id, last) values (tenant, 1)
    on conflict (tenant_id) do update set last = s.last + 1
    returning last
  )
  insert into registry.events (tenant_id, sequence, type, detail)
  select tenant, next.last, event_type, event_detail from next
$$;
grant execute on function registry.emit to tenantry_control;

comment on function registry.emit is 'Writes an event of a tenant, to be published once the transaction is committed.';


select tenancy.seal('registry.event_sequences', 'registry.events');
