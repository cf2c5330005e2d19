-- The audit of keys: none reaches across tenants.

create function tenancy.key_columns(relation oid, columns smallint[], except_column smallint) returns text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select string_agg(format(', %I', a.attname), '' order by c.position)
  from unnest(columns) with ordinality c (attnum, position)
  join pg_attribute a on a.attrelid = relation and a.attnum = c.attnum
  where c.attnum <> except_column
$$;
comment on function tenancy.key_columns is 'Columns of a key but one, each with a comma before it.';


create function tenancy.index_problems(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with indexes as (
    select i.*, i.indkey[0] = t.attnum as is_first, t.attnum, t.attnum = any ((i.indkey::smallint[])[0:i.indnkeyatts - 1]) as has_tenant,
      k.conname, k.contype, c.relam = (select oid from pg_am where amname = 'btree') as is_btree
    from tenancy.each_of(tables) t
    join pg_index i on i.indrelid = t.oid
    join pg_class c on c.oid = i.indexrelid
    left join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = i.indrelid and k.contype in ('p', 'u', 'x')
    where i.indkey[0] <> t.attnum or i.indcollation[0] <> t.attcollation
      or i.indclass[0] not in (select s.oid from tenancy.searched_classes s)
  ), mended as (
    select x.*, format(
        'do $mend$ begin drop index %s; %s; end $mend$', x.indexrelid::regclass,
        case when x.is_first
        then regexp_replace(pg_get_indexdef(x.indexrelid), '( USING \w+ \(tenant_id)( COLLATE [^ ,)]+)?( \w+_ops)?', '\1')
        -- First the column goes from wherever it stands, then it leads.
        else regexp_replace(
          replace(replace(replace(pg_get_indexdef(x.indexrelid), ', tenant_id', ''), ' INCLUDE (tenant_id)', ''),
            'INCLUDE (tenant_id, ', 'INCLUDE ('),
          '( USING \w+ )\(', '\1(tenant_id, ')
        end
      ) as made_anew,
      -- An exclusion constraint's index, and whatever is no b-tree, cannot be made anew by rule.
      '-- Make it anew as a btree with tenant_id first. No other method keeps tenants apart, so an exclusion constraint cannot stay.' as advice
    from indexes x
  )
  select 13, format('%s on %s', indexrelid::regclass, indrelid::regclass),
    'The unique key does not contain tenant_id: a duplicate tells a tenant what another has, and takes it from him.',
    case when contype is null then made_anew else format(
      'alter table %s drop constraint %I, add constraint %I %s (tenant_id%s)', indrelid::regclass, conname, conname,
      case contype when 'p' then 'primary key' else 'unique' end,
      tenancy.key_columns(indrelid, (indkey::smallint[])[0:indnkeyatts - 1], attnum)
    ) end
  from mended where indisunique and not has_tenant
  union all
  select 29, format('%s on %s', indexrelid::regclass, indrelid::regclass),
    format('The index %s: what a search in it meets tells whether another tenant has a value; and it is slow.', case
      when is_first then 'begins with tenant_id, but by a method, a collation or an operator class that does not keep tenants apart'
      else 'does not lead with tenant_id' end),
    case when is_btree and contype is null then made_anew else advice end
  from mended where (contype is distinct from 'x' or has_tenant) and (has_tenant or not indisunique)
$$;
comment on function tenancy.index_problems is 'Unique keys without tenant_id, and indexes that do not lead with it.';


create function tenancy.audit_keys(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with keys as materialized (
    -- No index leads from a table to the foreign keys that reference it, so all are read, once.
    select k.oid, k.contype, k.conname, k.conrelid, k.confrelid, k.conkey, k.confkey, k.conexclop
    from pg_constraint k where k.contype = 'f' and k.conparentid = 0 or k.contype = 'x'
  ), foreign_keys as materialized (
    select k.*, t.attnum as referenced, coalesce(
        s.attnum,
        (select a.attnum from pg_attribute a where a.attrelid = k.conrelid and a.attname = 'tenant_id' and not a.attisdropped)
      ) as own
    from tenancy.each_of(tables) t
    join keys k on k.confrelid = t.oid and k.contype = 'f'
    left join tenancy.each_of(tables) s on s.oid = k.conrelid
  ), unpaired as materialized (
    select * from foreign_keys k
    where not exists (select from unnest(k.conkey, k.confkey) x (own, referenced) where x.own = k.own and x.referenced = k.referenced)
  )
  select 12, format('constraint %I on %s', k.conname, k.conrelid::regclass),
    format('The foreign key to %s does not pair tenant_id with tenant_id: a row can point at another tenant''s row, and tells that it '
      'exists.', k.confrelid::regclass),
    case when k.own is null then '-- Give the table a column tenant_id, and make it part of the key on both sides.' else format(
      'alter table %s drop constraint %I, add constraint %I foreign key (tenant_id%s) references %s (tenant_id%s)%s',
      k.conrelid::regclass, k.conname, k.conname,
      tenancy.key_columns(k.conrelid, array(
        select x.own from unnest(k.conkey, k.confkey) with ordinality x (own, theirs, position)
        where x.theirs <> k.referenced order by position
      ), k.own), k.confrelid::regclass, tenancy.key_columns(k.confrelid, k.confkey, k.referenced),
      substring(pg_get_constraintdef(k.oid) from 'REFERENCES [^(]+\([^)]*\)(.*)$')
    ) end
  from unpaired k
  union all
  select 13, format('constraint %I on %s', k.conname, k.conrelid::regclass),
    'The exclusion constraint does not compare tenant_id by =: a conflict tells a tenant what another has.',
    '-- Drop it, and check for conflicts in a trigger or in the application: no method that it can have keeps tenants apart.'
  from unnest(tables) t join keys k on k.conrelid = t.oid and k.contype = 'x'
  where not exists (
    select from unnest(k.conkey, k.conexclop) x (attnum, operator) join pg_operator o on o.oid = x.operator
    where x.attnum = t.attnum and o.oprname = '='
  )
  union all
  select * from tenancy.index_problems(tables)
$$;
comment on function tenancy.audit_keys is 'Classes 12, 13 and 29.';
