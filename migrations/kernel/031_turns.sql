-- What an operation asks for and comes late: after another execution of it, or the next operation, has gone on.

create table tenancy.turns (
  tenant_id text primary key,
  turn bigint not null
);
revoke all on tenancy.turns from public;

comment on table tenancy.turns is
  'The greatest turn that an operation has changed each tenant''s home in. Outlives the tenant, so that one that comes again is not '
  'reached by what was asked for the one before.';


create function tenancy.require_turn(tenant text, its_turn bigint) returns void
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
begin
  -- Whoever comes meanwhile waits until what this transaction changes is there.
  insert into tenancy.turns as t (tenant_id, turn) values (tenant, its_turn)
    on conflict (tenant_id) do update set turn = excluded.turn where t.turn <= excluded.turn;
  if not found then
    raise exception 'An operation has gone on with the tenant % since the turn %', tenant, its_turn using errcode = 'TN013';
  end if;
end
$$;
grant execute on function tenancy.require_turn to tenantry_operations;

comment on function tenancy.require_turn is
  'Fails if the home of a tenant was changed in a later turn, as the registry counts them; docs/decisions/0041-turns.md.';


select tenancy.seal('tenancy.turns', 'tenancy.require_turn(text,bigint)');
