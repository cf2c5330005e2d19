-- The end of a tenant in the registry, with the proof that nothing else of it is left.

create function registry.retained() returns table (relation text, reason text)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  values
    ('registry.operations', 'What was done to the tenant, this proof included.'),
    ('registry.audit_log', 'Who did it.'),
    ('registry.impersonations', 'Which operator acted for the tenant, and why.'),
    ('registry.events', 'What others have been told, or still are to be.'),
    ('tenancy.turns', 'How far its operations came: what they asked for and comes late is refused.'),
    ('registry.event_sequences', 'A tenant that comes again under this id does not count its events from the start.')
$$;
grant execute on function registry.retained to tenantry_operations;

comment on function registry.retained is 'Tables in which a tenant that is gone is still named, by design, and why.';


create function registry.unregister_tenant(operation uuid, proof jsonb) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  done registry.operations := (select o from registry.operations o where o.id = operation for update);
  relations jsonb;
  left_over jsonb;
begin
  -- Proven before: this is a repetition.
  if done.result ? 'proof' then
    return '[]';
  end if;
  delete from registry.tenants t where t.tenant_id = done.tenant_id and t.state = 'offboarding';
  select jsonb_object_agg(f.relation, f.held), coalesce(jsonb_agg(jsonb_build_object('relation', f.relation, 'rows', f.held)) filter (
      where f.held is distinct from 0 and f.relation not in (select r.relation from registry.retained() r)), '[]')
    into relations, left_over from tenancy.find_rows(done.tenant_id) f;
  if left_over <> '[]' then
    -- Not raised, so that the caller can say what it is; but nothing stays of the attempt.
    raise exception sqlstate 'TN012' using message = left_over::text;
  end if;
  proof := proof || jsonb_build_object('at', clock_timestamp(), 'rows', relations,
    'retained', (select jsonb_object_agg(r.relation, r.reason) from registry.retained() r));
  update registry.operations o set updated_at = now(), result = coalesce(o.result, '{}') || jsonb_build_object('proof', proof)
    where o.id = operation;
  insert into registry.audit_log (actor, action, tenant_id, operation_id, detail, before)
    values (done.actor, 'offboard.proven', done.tenant_id, done.id, proof, done.before);
  return '[]';
exception when sqlstate 'TN012' then
  return sqlerrm::jsonb;
end
$$;
grant execute on function registry.unregister_tenant to tenantry_operations;

comment on function registry.unregister_tenant is
  'Removes a tenant that is being offboarded from the registry, if then no table of this database has a row of it but those that retain it by '
  'design; and records the proof in the operation and the audit log. Returns what is left otherwise: [{"relation", "rows"}].';
