-- How statements come in: one call carries the capability and the statement.

-- What a statement says. Each is parsed here and compares as "C", so that no setting or collation of a caller reads it otherwise.

create function tenancy.is_query(statement text) returns boolean
language sql immutable
return statement collate "C" ~* '^[[:space:](]*(select|insert|update|delete|merge|with|values|table)[[:>:]]';

create function tenancy.is_select(statement text) returns boolean
language sql immutable
return statement collate "C" ~* '^[[:space:]]*select[[:>:]]';

create function tenancy.evades_policies(statement text) returns boolean
language sql immutable
return statement collate "C"
  ~* '[[:<:]](query|table|schema|database|cursor)_to_xml|[[:<:]]ts_(stat|rewrite)[[:>:]]|[[:<:]]currtid|[[:<:]]u&"';

create function tenancy.is_plain(template text) returns boolean
language sql immutable
return not regexp_replace(template collate "C", '"[^"%]*"|%[0-9]+[$]L|%%', '', 'g') ~ '["''$%]|--|/[*]';

grant execute on function tenancy.is_query, tenancy.is_select, tenancy.evades_policies, tenancy.is_plain to tenantry_app;

comment on function tenancy.is_query is 'Whether a statement begins as one that rows answer.';
comment on function tenancy.is_select is 'Whether a statement is a SELECT, as far as its first word tells.';
comment on function tenancy.evades_policies is
  'Whether a statement names a function that policies do not come before: one that runs SQL which it has as text, or follows versions of '
  'rows; or hides names in Unicode escapes.';
comment on function tenancy.is_plain is
  'Whether arguments can become nothing but values: there is no text, comment or open name in the template that one could be put into.';


create function tenancy.enter(capability text, schema text, read_only boolean, template text, arguments jsonb) returns text
language plpgsql
-- No pinned search_path: it would take back, on return, the one that is set here.
as $$
declare
  statement constant text := format(template, variadic array(select jsonb_array_elements_text(arguments)));
begin
  if tenancy.is_query(statement) is not true then
    raise exception 'A tenant''s statement begins with select, insert, update, delete, merge, with, values or table' using errcode = 'TN010',
      hint = 'EXPLAIN tells what other tenants have: explain a statement as the owner of the tables.';
  end if;
  -- An argument may hold such a word, if it surely is a value.
  if tenancy.evades_policies(statement) and (tenancy.evades_policies(template) or not tenancy.is_plain(template)) then
    raise exception 'A tenant''s statement calls nothing that policies do not come before' using errcode = 'TN010',
      hint = 'Leave out *_to_xml, ts_stat, ts_rewrite, currtid2 and names in Unicode escapes. To pass such words as values, use '
      'placeholders for all of the statement''s values.';
  end if;
  -- One expression, since each costs; operands are evaluated from left to right. Nothing of them is left over but the statement.
  return left(set_config('tenancy.capability', coalesce(capability, ''), true)
    || set_config('tenancy.proven', '', true)
    || set_config('search_path', quote_ident(coalesce(schema, '')) || ', pg_temp', true)
    -- Database Insights splits load by application name.
    || set_config('application_name', coalesce(split_part(capability, '.', 3), ''), true)
    || case when coalesce(read_only, tenancy.is_select(statement)) then set_config('transaction_read_only', 'on', true) else '' end
    -- Postgres takes conditions in the order of their costs, also before those of policies if they show nothing by themselves, and
    -- then functions without columns, whose effects show that a row of another tenant got as far. Where costs are nothing, policies
    -- come first.
    || set_config('cpu_operator_cost', '0', true)
    -- What injected SQL took on this connection, no other tenant's writes shall wait for.
    || pg_advisory_unlock_all()::text, 0) || statement;
end
$$;
grant execute on function tenancy.enter to tenantry_app;

comment on function tenancy.enter is
  'Sets the tenant for the rest of the transaction, unproven: each policy demands the proof. Returns the statement, its placeholders '
  'filled in, if it is one that rows of the tenant answer, to be planned so that nothing of it sees rows of others first. Unless told '
  'otherwise, a SELECT makes the transaction read-only.';


create function tenancy.leave(schema text) returns text
language plpgsql
as $$
begin
  -- Nothing has been proven while the setting is empty, so no schema of that name has been. And however long SQL that was injected has
  -- allowed the next statement of this transaction to run, the login's own limit holds again: null puts it back.
  if left(set_config('statement_timeout', null, true), 0) || current_setting('tenancy.proven', true)
    is distinct from nullif(schema, '') then
    return tenancy.current_tenant(schema);
  end if;
  return null;
end
$$;
grant execute on function tenancy.leave to tenantry_app;

comment on function tenancy.leave is
  'Demands the proof if no policy of this schema has, so that a statement that read no tenant table fails without one as well, and '
  'limits the next statement as the login is limited. '
  'The setting that it goes by can be forged, and guards no row: the policies do.';


create function tenancy.run(
  capability text, schema text, statement text, arguments jsonb default '[]', read_only boolean default null
) returns setof json
language plpgsql
as $$
declare
  row_ record;
  proof text;
begin
  -- A cursor takes exactly one statement that returns rows: stacked statements, SET, COPY and DDL cannot get in.
  for row_ in execute tenancy.enter(capability, schema, read_only, statement, arguments) loop
    return next to_json(row_);
  end loop;
  -- Assigned, since PERFORM would have it planned.
  proof := tenancy.leave(schema);
end
$$;
grant execute on function tenancy.run to tenantry_app;

comment on function tenancy.run is
  'Runs one statement as the tenant of the capability, in the given schema; a JSON object a row. The statement has '
  '%1$L-style placeholders, which become quoted literals, and doubles every other percent sign. Unless told otherwise, a '
  'SELECT makes its transaction read-only.';


create function tenancy.run_batch(capability text, schema text, statements jsonb, read_only boolean default false) returns setof json
language plpgsql
as $$
declare
  entry record;
  row_ record;
  proof text;
begin
  for entry in select value, ordinality - 1 as index from jsonb_array_elements(statements) with ordinality loop
    for row_ in execute tenancy.enter(
      capability, schema, read_only, entry.value ->> 'statement', coalesce(entry.value -> 'arguments', '[]')
    ) loop
      return next json_build_array(entry.index, to_json(row_));
    end loop;
  end loop;
  proof := tenancy.leave(schema);
end
$$;
grant execute on function tenancy.run_batch to tenantry_app;

comment on function tenancy.run_batch is
  'Runs several statements [{"statement", "arguments"}] as the tenant of the capability, in one transaction; [index, row] a row. '
  'Whether it is read-only is for the caller to say, since a batch may read before it writes.';


create function tenancy.out(value anyelement) returns jsonb
language sql stable parallel safe
as $$
  select case
    when pg_typeof(value) in ('bigint'::regtype, 'numeric'::regtype) then to_jsonb(value::text)
    when pg_typeof(value) in ('bigint[]'::regtype, 'numeric[]'::regtype) then to_jsonb(value::text::text[])
    else to_jsonb(value)
  end
$$;
grant execute on function tenancy.out to tenantry_app;

comment on function tenancy.out is
  'A value as JSON that loses nothing: JSON numbers are too narrow for bigint and numeric, so these leave as text. Postgres knows '
  'the real type of an expression, which a client does not.';
