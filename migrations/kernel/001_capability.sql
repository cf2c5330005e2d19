-- The kernel: everything by which a database decides for whom a statement acts.

grant usage on schema tenancy to tenantry_app, tenantry_authorizer, tenantry_control;

-- Errors have SQLSTATEs of their own, so that callers need not read messages:
--   TN001 no capability   TN002 forged or malformed   TN003 expired   TN004 not at home here
--   TN005 suspended       TN006 moving                TN007 wrong isolation level   TN008 table not protectable
--   TN009 migration edited after it was applied        TN010 no statement for a tenant


-- Keys that sign capabilities. Several may be valid at once, so that they rotate without downtime.
create table tenancy.signing_keys (
  key_id text primary key check (key_id ~ '^[a-z0-9-]{1,64}$'),
  -- HMAC needs the key only in these two forms (RFC 2104), so they are computed once, here.
  inner_pad bytea not null check (octet_length(inner_pad) = 64),
  outer_pad bytea not null check (octet_length(outer_pad) = 64)
);
revoke all on tenancy.signing_keys from public;

comment on table tenancy.signing_keys is 'Keys that sign capabilities. No role but the owner may read it.';


-- Who is at home in which schema of this database.
create table tenancy.placements (
  tenant_id text not null check (tenant_id ~ '^[a-z][a-z0-9-]{1,38}[a-z0-9]$'),
  schema name not null,
  -- acting: for who acts as the tenant without its being at home there, in that transaction alone (021_acting.sql)
  state text not null default 'active' check (state in ('active', 'suspended', 'moving', 'moved', 'acting')),
  -- Names the tenant's advisory lock. Random, so that nobody can lock a tenant out by computing it.
  lock_key bigint not null default hashtextextended(gen_random_uuid()::text, 0) unique,
  primary key (tenant_id, schema)
);
revoke all on tenancy.placements from public;

comment on table tenancy.placements is 'Who is at home in which schema of this database, and whether statements are answered.';

-- Who comes second waits for the first, whoever they are, and fails. A move inside a database has one home all the time: the source is
-- moving, and what becomes the target moved, or not there, until one transaction makes the source moved, and then the target active.
create unique index one_home on tenancy.placements (tenant_id) where state in ('active', 'suspended', 'moving');


create function tenancy.xor_pad(key bytea, pad integer) returns bytea
language plpgsql immutable strict
set search_path = pg_catalog, pg_temp
as $$
declare
  padded bytea := case when octet_length(key) > 64 then sha256(key) else key end;
  result bytea := decode(repeat(lpad(to_hex(pad), 2, '0'), 64), 'hex');
begin
  for i in 0 .. octet_length(padded) - 1 loop
    result := set_byte(result, i, get_byte(padded, i) # pad);
  end loop;
  return result;
end
$$;

comment on function tenancy.xor_pad is 'The key of an HMAC-SHA256, combined with its inner (54) or outer (92) pad: 64 bytes.';


create function tenancy.set_signing_keys(keys jsonb) returns void
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
begin
  if coalesce(jsonb_array_length(keys), 0) = 0 then
    raise exception 'set_signing_keys needs at least one key' using errcode = 'TN002';
  end if;
  delete from tenancy.signing_keys
    where key_id not in (select k ->> 'keyId' from jsonb_array_elements(keys) k);
  insert into tenancy.signing_keys (key_id, inner_pad, outer_pad)
    select k ->> 'keyId', tenancy.xor_pad(s.bytes, 54), tenancy.xor_pad(s.bytes, 92)
    from jsonb_array_elements(keys) k, convert_to(k ->> 'secret', 'UTF8') s(bytes)
  on conflict (key_id) do update set inner_pad = excluded.inner_pad, outer_pad = excluded.outer_pad;
end
$$;

comment on function tenancy.set_signing_keys is 'Makes exactly these keys valid: [{"keyId", "secret"}].';


create function tenancy.is_signed(capability text, inner_pad bytea, outer_pad bytea) returns boolean
language sql stable
-- Stable, since convert_to is: declared immutable it would not be inlined, which costs more than the digests themselves.
-- Digests of the macs are compared, so that the time taken tells nothing of the expected text. Base64 becomes base64url.
return sha256(convert_to(split_part(capability, '.', 5), 'UTF8')) = sha256(convert_to(
  translate(encode(sha256(outer_pad || sha256(inner_pad || convert_to(left(capability, -44), 'UTF8'))), 'base64'), '+/=', '-_'),
  'UTF8'));

comment on function tenancy.is_signed is
  'Whether v1.<keyId>.<tenantId>.<expiresAtUnixSeconds>.<mac> carries the HMAC-SHA256 of all before its mac (43 characters).';


create function tenancy.refuse(sqlstate_ text, tenant text, home text) returns void
language plpgsql
as $$
begin
  case sqlstate_
    when 'TN001' then
      raise exception 'No tenant context set' using errcode = sqlstate_,
        hint = 'Run the statement through tenancy.run() with the capability of the request.';
    when 'TN003' then raise exception 'The capability has expired' using errcode = sqlstate_;
    when 'TN004' then raise exception 'The tenant % has moved: it is not at home in %', tenant, home using errcode = sqlstate_;
    when 'TN005' then raise exception 'The tenant % is suspended', tenant using errcode = sqlstate_;
    when 'TN006' then raise exception 'The tenant % is being moved', tenant using errcode = sqlstate_;
    else raise exception 'The capability is forged' using errcode = 'TN002';
  end case;
end
$$;

comment on function tenancy.refuse is 'Raises one of the errors above.';


-- Runs once a statement, at least, so it is one query and little else: in each transaction PL/pgSQL prepares every expression anew.
-- The parameter is text, not name: a result takes its collation from the arguments, that of name is "C", and an index on
-- tenant_id, whose collation is the database's, could then not be used under a policy.
create function tenancy.current_tenant(home text) returns text
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp
-- Where operations cost nothing, planning does neither, and Postgres would plan the query anew each time.
set plan_cache_mode = force_generic_plan
as $$
declare
  capability constant text := current_setting('tenancy.capability', true);
  tenant text;
  problem text;
begin
  select split_part(capability, '.', 3),
      case
        when split_part(capability, '.', 1) <> 'v1' or not tenancy.is_signed(capability, k.inner_pad, k.outer_pad) then 'TN002'
        -- The clock of now, not of the transaction's start: a long transaction does not prolong a capability.
        when to_timestamp(split_part(capability, '.', 4)::bigint) <= clock_timestamp() then 'TN003'
        -- Reads go on while a tenant is being moved; the fence refuses its writes. The setting spares run() a proof of its own.
        when p.state in ('active', 'moving', 'acting') then left(set_config('tenancy.proven', home, true), 0)
        when p.state = 'suspended' then 'TN005'
        else 'TN004'
      end
    into tenant, problem
    from tenancy.signing_keys k
    left join tenancy.placements p on p.tenant_id = split_part(capability, '.', 3) and p.schema = home::name
    where k.key_id = split_part(capability, '.', 2);
  if problem = '' then
    return tenant;
  end if;
  perform tenancy.refuse(case when coalesce(capability, '') = '' then 'TN001' else problem end, tenant, home);
end
$$;
grant execute on function tenancy.current_tenant to tenantry_app;

comment on function tenancy.current_tenant is
  'The tenant for whom this statement acts, proven by the capability in the setting tenancy.capability and at home in the '
  'given schema. Raises otherwise. STABLE and wrapped in a sub-select by every policy: called once a statement.';
