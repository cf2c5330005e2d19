-- How an operation begins: one call and one transaction, which may be repeated.

create function registry.create_operation(request jsonb) returns jsonb
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  new_id constant uuid := request ->> 'id';
  tenant constant text := request ->> 'tenantId';
  tenant_before jsonb;
  made registry.operations;
  other registry.operations;
begin
  loop
    begin
      insert into registry.operations (id, tenant_id, kind, input, actor, idempotency_key)
        values (new_id, tenant, request ->> 'kind', request -> 'input', request ->> 'actor', request ->> 'idempotencyKey')
        on conflict do nothing returning * into made;
      -- Only now: whoever waited for the end of another operation has to see what that one did.
      tenant_before := registry.tenant_record(tenant);
      if made.kind = 'onboard' and tenant_before is not null then
        raise exception 'tenant-exists' using errcode = 'TN011';
      elsif made.kind = 'onboard' and not coalesce((made.input ->> 'reuseId')::boolean, false) and exists (
        select from registry.operations o where o.tenant_id = tenant and o.kind = 'offboard' and o.state = 'succeeded'
      ) then
        -- Tokens name nothing but the id, and users of the one that left may still get some.
        raise exception 'tenant-id-used' using errcode = 'TN011';
      elsif made.kind <> 'onboard' and tenant_before is null then
        raise exception 'tenant-unknown' using errcode = 'TN011';
      elsif made.kind in ('activate', 'suspend', 'change-plan', 'change-limits', 'rename', 'export')
        and tenant_before ->> 'state' not in ('active', 'suspended') then
        raise exception 'tenant-leaving' using errcode = 'TN011';
      end if;
    exception when sqlstate 'TN011' then
      return jsonb_build_object('outcome', sqlerrm);
    end;
    exit when made.id is not null;
    select * into other from registry.operations o where o.id = new_id or o.idempotency_key = request ->> 'idempotencyKey';
    if found then
      return jsonb_build_object('operation', registry.operation_record(other), 'outcome',
        -- Where there was room then, there may be none now.
        case when (other.tenant_id, other.kind, other.input - 'placement') = (tenant, request ->> 'kind', (request -> 'input') - 'placement')
          and other.input -> 'placement' -> 'model' is not distinct from request -> 'input' -> 'placement' -> 'model' then 'known'
          else 'key-reused' end);
    end if;
    select * into other from registry.operations o where o.tenant_id = tenant and o.state in ('pending', 'running');
    if found then
      return jsonb_build_object('operation', registry.operation_record(other), 'outcome', 'in-progress');
    end if;
    -- The one that was in the way has ended meanwhile.
  end loop;
  update registry.operations o set before = tenant_before,
    turn = coalesce((select max(earlier.turn) from registry.operations earlier where earlier.tenant_id = tenant), 0)
    where o.id = made.id returning * into made;
  if request ->> 'event' is not null then
    perform registry.emit(tenant, request ->> 'event', made.input || jsonb_build_object('operationId', made.id));
  end if;
  insert into registry.audit_log (actor, action, tenant_id, operation_id, detail, before)
    values (made.actor, made.kind || '.requested', tenant, made.id, made.input, tenant_before);
  return jsonb_build_object('operation', registry.operation_record(made), 'outcome', 'created');
end
$$;
grant execute on function registry.create_operation to tenantry_control;

comment on function registry.create_operation is
  'Writes an operation {"id", "tenantId", "kind", "input", "actor", "idempotencyKey", "event"}, the event of its request and its entry '
  'in the audit log. Outcome: created; known, key-reused or in-progress, with the other operation; or tenant-exists, '
  'tenant-id-used, tenant-unknown, tenant-leaving.';
