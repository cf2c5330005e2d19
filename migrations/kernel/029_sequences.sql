-- Sequences behind the rows of a tenant that came from somewhere else. The role of operations alone may call this.

create function tenancy.row_sequences(target oid) returns table (sequence regclass, name text, ascends boolean, low bigint, high bigint)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select s.seqrelid::regclass, a.attname, s.seqincrement > 0, s.seqmin, s.seqmax
  from (
    select d.objid, d.refobjsubid from pg_depend d
      where d.classid = 'pg_class'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = target and d.deptype in ('a', 'i')
    union
    select d.refobjid, f.adnum from pg_attrdef f
      join pg_depend d on d.classid = 'pg_attrdef'::regclass and d.objid = f.oid and d.refclassid = 'pg_class'::regclass
      where f.adrelid = target
  ) u (sequence, attnum)
  join pg_sequence s on s.seqrelid = u.sequence
  join pg_attribute a on a.attrelid = target and a.attnum = u.attnum
  where a.atttypid in ('smallint'::regtype, 'integer'::regtype, 'bigint'::regtype)
  -- Whoever waits for several does so in the same order.
  order by s.seqrelid
$$;

comment on function tenancy.row_sequences is
  'Sequences that number rows of a table: of its identity columns, those that its columns own, and those of its defaults. Granted to nobody.';


create function tenancy.is_behind(sequence regclass, ascends boolean, furthest bigint) returns boolean
language plpgsql
set search_path = pg_catalog, pg_temp
as $$
declare
  behind boolean;
begin
  execute format('select case when last_value = $1 then not is_called else (last_value < $1) = $2 end from %s', sequence)
    into behind using furthest, ascends;
  return behind;
end
$$;

comment on function tenancy.is_behind is 'Whether a sequence is still to give this number out. Granted to nobody.';


create function tenancy.advance_sequences(tenant text, home text, relation text) returns integer
language plpgsql security definer
set search_path = pg_catalog, pg_temp
as $$
declare
  target constant tenancy.row_table := tenancy.row_table_of(home, relation);
  before constant text := tenancy.act_as(tenant, home, true);
  numbered record;
  furthest bigint;
  advanced integer := 0;
begin
  perform set_config('lock_timeout', '3s', true);
  for numbered in select * from tenancy.row_sequences(target.oid) loop
    execute format('select %s(t.%2$I) from %3$s t where t.tenant_id = $1 and t.%2$I between $2 and $3',
      case when numbered.ascends then 'max' else 'min' end, numbered.name, target.oid::regclass)
      into furthest using tenant, numbered.low, numbered.high;
    continue when furthest is null or not tenancy.is_behind(numbered.sequence, numbered.ascends, furthest);
    -- Changes nothing, but has others wait who want a number, for which there is no other lock: between a look and setval they might
    -- have got further, and setval would have them get the same numbers again.
    execute format('alter sequence %s start %s', numbered.sequence,
      (select s.seqstart from pg_sequence s where s.seqrelid = numbered.sequence));
    if tenancy.is_behind(numbered.sequence, numbered.ascends, furthest) then
      perform setval(numbered.sequence, furthest);
      advanced := advanced + 1;
    end if;
  end loop;
  perform tenancy.act_no_more(tenant, home, before);
  return advanced;
end
$$;
grant execute on function tenancy.advance_sequences to tenantry_operations;

comment on function tenancy.advance_sequences is
  'Has sequences give out no number that a row of a suspended tenant has, since insert_rows takes numbers as they come. Never sets one back: '
  'tenants of a schema share them. Returns how many it advanced.';


select tenancy.seal('tenancy.row_sequences(oid)', 'tenancy.is_behind(regclass,boolean,bigint)',
  'tenancy.advance_sequences(text,text,text)');
