-- Rows of a tenant as text, out and in: for exports, and for what is restored from them. The role of operations alone may call them.

create function tenancy.row_columns(target oid)
returns table (name text, type text, is_nullable boolean, has_default boolean, is_generated boolean, written text, read text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  -- What JSON has no exact form for goes as Postgres writes it, which is what Postgres reads. A value of type json may have line breaks.
  select a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull, a.atthasdef, a.attgenerated <> '',
    format(case
      when a.atttypid in ('boolean'::regtype, 'smallint'::regtype, 'integer'::regtype, 'jsonb'::regtype) then 't.%1$I::text'
      else 'to_json(format(''%%s'', t.%1$I))::text' end, a.attname),
    format('(r %s %L)::%s', case when a.atttypid = 'jsonb'::regtype then '->' else '->>' end, a.attname,
      format_type(a.atttypid, a.atttypmod))
  from pg_attribute a
  where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attname <> 'tenant_id'
  order by a.attnum
$$;

comment on function tenancy.row_columns is
  'Columns of a table but tenant_id, with the expressions that write one of a row t as JSON and read one of a JSON object r. Granted to '
  'nobody.';


create function tenancy.row_table_of(home text, relation text) returns tenancy.row_table
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
declare
  target constant tenancy.row_table := (select t from tenancy.row_tables(home) t where t.name = relation);
begin
  if target.oid is null then
    raise exception 'The schema % has no table % of tenants', home, relation using errcode = '42P01';
  end if;
  return target;
end
$$;

comment on function tenancy.row_table_of is 'The protected table of that name. Granted to nobody.';


create function tenancy.describe_rows(home text) returns setof json
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select json_build_object('name', t.name, 'key', t.keys, 'linked', t.late <> '{}', 'columns', (
    select json_agg(json_build_object('name', c.name, 'type', c.type, 'nullable', c.is_nullable, 'default', c.has_default,
      'generated', c.is_generated)) from tenancy.row_columns(t.oid) c
  ))
  from tenancy.row_tables(home) t order by t.place
$$;
grant execute on function tenancy.describe_rows to tenantry_operations;

comment on function tenancy.describe_rows is
  'Tables of tenants in a schema, parents before children, with their columns but tenant_id; linked are those whose rows may point at rows '
  'that come later.';


create function tenancy.describe_home(tenant text, home text) returns json
language sql stable security definer
set search_path = pg_catalog, pg_temp
as $$
  select json_build_object('at', to_json(now()), 'state', (
      select p.state from tenancy.placements p where p.tenant_id = tenant and p.schema = home
    ), 'migrations', (
      select coalesce(json_agg(m.version order by m.version), '[]') from tenancy.migrations m where m.target = home
    ))
$$;
grant execute on function tenancy.describe_home to tenantry_operations;

comment on function tenancy.describe_home is
  'The state of a tenant''s placement, null if it has none; the migrations that its schema has; and the time of the transaction.';


create function tenancy.read_rows(tenant text, home text, relation text, after json, skip integer) returns setof text
language plpgsql security definer
set search_path = pg_catalog, pg_temp
-- Values are written in one way only, whatever the session says.
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set bytea_output = 'hex' set extra_float_digits = 1
set lc_monetary = 'C' set xmlbinary = 'base64'
as $$
declare
  -- As base64 this stays below the 1 MiB of an answer of the Data API, and a slice below the 64 KB of a row.
  most constant integer := 600000;
  slice constant integer := 45000;
  target constant tenancy.row_table := tenancy.row_table_of(home, relation);
  before constant text := tenancy.act_as(tenant, home, false);
  -- Row constructors of no columns do not exist, so the tenant stands for a key that has none besides.
  keys constant text := (select string_agg(format('t.%I', k), ', ' order by n) from unnest(target.keys) with ordinality u (k, n));
  text_keys constant text := (
    select string_agg(format('format(''%%s'', t.%I)', k), ', ' order by n) from unnest(target.keys) with ordinality u (k, n));
  start constant text := (
    select string_agg(format('($2 ->> %s)::%s', n - 1, c.type), ', ' order by n)
    from unnest(target.keys) with ordinality u (k, n) join tenancy.row_columns(target.oid) c on c.name = k);
  statement constant text := format(
    $sql$select '{' || array_to_string(array[%s]::text[], ',') || E'}\n' as line, array[%s]::text[] as key from %s t
      where t.tenant_id = $1 %s order by %s$sql$,
    (select string_agg(format('case when t.%I is distinct from null then %L || %s end', c.name, to_json(c.name)::text || ':', c.written), ', ')
      from tenancy.row_columns(target.oid) c),
    coalesce(text_keys, ''), target.oid::regclass,
    case when after is not null then coalesce(format('and (%s) > (%s)', keys, start), 'and false') end,
    coalesce(keys, 't.tenant_id'));
  row_ record;
  size integer;
  lines text[] := '{}';
  bytes integer := 0;
  done integer := 0;
  next_key json := after;
  next_skip integer := 0;
  is_last boolean := true;
  page bytea;
begin
  for row_ in execute statement using tenant, after loop
    size := octet_length(row_.line) - case when done = 0 then skip else 0 end;
    if bytes + size > most then
      is_last := false;
      if done > 0 then
        exit;
      end if;
      -- A row that no page has room for goes in parts.
      next_skip := skip + most;
    end if;
    lines := lines || row_.line::text;
    bytes := bytes + size;
    exit when next_skip > 0;
    done := done + 1;
    next_key := to_json(row_.key);
  end loop;
  page := substring(convert_to(array_to_string(lines, ''), 'UTF8') from skip + 1 for most);
  return next json_build_object('rows', done, 'after', next_key, 'skip', next_skip, 'last', is_last, 'state', before)::text;
  for at_byte in 1 .. octet_length(page) by slice loop
    return next encode(substring(page from at_byte for slice), 'base64');
  end loop;
  perform tenancy.act_no_more(tenant, home, before);
end
$$;
grant execute on function tenancy.read_rows to tenantry_operations;

comment on function tenancy.read_rows is
  'A page of a tenant''s rows of a table as JSON Lines, in the order of the primary key: {"rows", "after", "skip", "last", "state"}, then the '
  'lines, in base64, in slices. The next page begins with these "after" and "skip", the bytes of the next row that are read already. Columns that are null are '
  'left out.';


create function tenancy.insert_rows(tenant text, home text, relation text, rows_ text, links boolean) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
set timezone = 'UTC' set datestyle = 'ISO, YMD' set intervalstyle = 'postgres' set lc_monetary = 'C' set xmlbinary = 'base64'
as $$
declare
  target constant tenancy.row_table := tenancy.row_table_of(home, relation);
  before constant text := tenancy.act_as(tenant, home, true);
  changed integer;
begin
  if links then
    execute (
      select format('update %s t set %s from json_array_elements($2::json) r where t.tenant_id = $1 and %s', target.oid::regclass,
        string_agg(format('%I = %s', c.name, c.read), ', ') filter (where c.name = any (target.late)),
        string_agg(format('t.%I = %s', c.name, c.read), ' and ') filter (where c.name = any (target.keys)))
      from tenancy.row_columns(target.oid) c
    ) using tenant, rows_;
  else
    execute (
      select format('insert into %s (tenant_id, %s) overriding system value select $1, %s from json_array_elements($2::json) r '
          'on conflict (tenant_id%s) do nothing', target.oid::regclass, string_agg(quote_ident(c.name), ', '),
        string_agg(case when c.name = any (target.late) then 'null' else c.read end, ', '),
        (select string_agg(format(', %I', k), '' order by n) from unnest(target.keys) with ordinality u (k, n)))
      from tenancy.row_columns(target.oid) c where not c.is_generated
    ) using tenant, rows_;
  end if;
  get diagnostics changed = row_count;
  perform tenancy.act_no_more(tenant, home, before);
  return changed;
end
$$;
grant execute on function tenancy.insert_rows to tenantry_operations;

comment on function tenancy.insert_rows is
  'Inserts rows, a JSON array of objects as read_rows writes them, for a tenant that is suspended; those that are there already stay. '
  'Columns by which rows point at later ones stay empty: a second call, with links, sets them.';


select tenancy.seal('tenancy.row_columns(oid)', 'tenancy.row_table_of(text,text)', 'tenancy.describe_rows(text)',
  'tenancy.describe_home(text,text)',
  'tenancy.read_rows(text,text,text,json,integer)', 'tenancy.insert_rows(text,text,text,text,boolean)');
