-- A statement in no schema asks for its proof too.

create or replace function tenancy.leave(schema text) returns void
language plpgsql
as $$
begin
  -- Nothing has been proven while the setting is empty, so no schema of that name has been.
  if current_setting('tenancy.proven') is distinct from nullif(schema, '') then
    perform tenancy.current_tenant(schema);
  end if;
end
$$;

select tenancy.seal('tenancy.leave(text)');
