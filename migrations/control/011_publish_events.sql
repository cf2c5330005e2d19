-- How events get from the outbox to the bus: whoever publishes a tenant's events has claimed them before, so that nobody overtakes.

alter table registry.event_sequences
  add column publisher uuid,
  add column publish_after timestamptz not null default '-infinity';
comment on column registry.event_sequences.publisher is 'Who has claimed the tenant''s events, and not said what came of it.';
comment on column registry.event_sequences.publish_after is 'Until then nobody else publishes them: a claim lasts, or a failure is fresh.';

alter table registry.events add column refused jsonb;
grant update (refused) on registry.events to tenantry_control;
comment on column registry.events.refused is
  '{"code", "message"} of why no bus will ever take the event. It is passed over; set to null, it is tried again.';

drop index registry.events_unpublished;
create index events_unpublished on registry.events (tenant_id, sequence) where published_at is null and refused is null;
comment on index registry.events_unpublished is 'What is still to be published.';


create function registry.claim_events(claimant uuid, lease_seconds int, most_tenants int, most_events int) returns setof jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  -- The Data API answers rows of 64 KB and 1 MB in all, in which every quote counts twice.
  row_bytes constant int := 48 * 1024;
  answer_bytes constant int := 400 * 1024;
begin
  update registry.event_sequences s set publisher = claimant, publish_after = now() + make_interval(secs => lease_seconds)
  where s.tenant_id in (
    select t.tenant_id
    from registry.event_sequences t
    join (
      select e.tenant_id, min(e.created_at) as since from registry.events e
      where e.published_at is null and e.refused is null group by e.tenant_id
    ) next on next.tenant_id = t.tenant_id
    where t.publish_after <= now() or t.publisher = claimant
    order by next.since, t.tenant_id
    limit most_tenants
    for update of t skip locked
  );
  -- Statements of their own: they see what the last publisher of a tenant has done until the tenant got free.
  update registry.event_sequences s set publisher = null, publish_after = '-infinity'
  where s.publisher = claimant and not exists (
    select from registry.events e where e.tenant_id = s.tenant_id and e.published_at is null and e.refused is null
  );
  return query
    select jsonb_build_object('id', e.id, 'tenantId', e.tenant_id, 'sequence', e.sequence, 'type', e.type, 'at', e.created_at,
      'bytes', e.bytes, 'detail', case when e.bytes <= row_bytes then e.detail end)
    from (
      select n.*, sum(least(n.bytes, row_bytes)) over (order by n.tenant_id, n.sequence) as bytes_so_far
      from registry.event_sequences s
      cross join lateral (
        select e.*, octet_length(e.detail::text) as bytes from registry.events e
        where e.tenant_id = s.tenant_id and e.published_at is null and e.refused is null
        order by e.sequence limit most_events
      ) n
      where s.publisher = claimant
    ) e
    where e.bytes_so_far <= answer_bytes
    -- Not by time: a transaction that began earlier may have got its number later.
    order by e.tenant_id, e.sequence;
end
$$;
grant execute on function registry.claim_events to tenantry_control;

comment on function registry.claim_events is
  'The next events of tenants whose events nobody else is publishing, the longest waiting ones first, those of a tenant in their order. '
  'Detail is null where it is larger than can be read. Nobody else gets events of these tenants before the lease is over or the claim is settled. May be repeated.';


create function registry.settle_events(claimant uuid, outcome jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  update registry.events e set published_at = now()
  from jsonb_array_elements_text(outcome -> 'published') p (id) where e.id = p.id::uuid and e.published_at is null;
  update registry.events e set refused = jsonb_build_object('code', r -> 'code', 'message', r -> 'message')
  from jsonb_array_elements(outcome -> 'refused') r where e.id = (r ->> 'id')::uuid and e.published_at is null;
  -- A claim that somebody else has meanwhile is theirs to give back.
  update registry.event_sequences s set publisher = null, publish_after = case
    when outcome -> 'failedTenants' ? s.tenant_id then now() + make_interval(secs => (outcome ->> 'pauseSeconds')::int)
    else '-infinity' end
  where s.publisher = claimant;
end
$$;
grant execute on function registry.settle_events to tenantry_control;

comment on function registry.settle_events is
  'Says what came of claimed events: {"published": [id], "refused": [{"id", "code", "message"}], "failedTenants": [tenant], "pauseSeconds"}, '
  'and gives the claim back. Tenants whose events failed get a pause. May be repeated.';


select tenancy.seal('registry.event_sequences', 'registry.events');
