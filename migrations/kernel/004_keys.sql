-- Keys of a tenant table: none can reach across tenants.

create view tenancy.searched_classes as
  select o.oid from pg_opclass o join pg_am m on m.oid = o.opcmethod where o.opcdefault and m.amname = 'btree';

comment on view tenancy.searched_classes is
  'Operator classes whose indexes are searched by the array of a policy. By any other a statement''s own conditions would come first.';


-- As few as most tables have: taken for a thousand, Postgres would read whole catalogs to look them up.
create function tenancy.family(target regclass) returns setof oid
language sql stable rows 2
set search_path = pg_catalog, pg_temp
as $$
  with recursive family as (
    select target::oid as oid
    union
    select i.inhrelid from family f join pg_inherits i on i.inhparent = f.oid
  )
  select oid from family
$$;

comment on function tenancy.family is
  'A table with its partitions and heirs, in whichever schema: they have columns, indexes and keys of their own.';


create function tenancy.key_problems(target regclass) returns setof text
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  with family as (
    select f.oid, a.attnum, a.attcollation
    from tenancy.family(target) f (oid)
    left join pg_attribute a on a.attrelid = f.oid and a.attname = 'tenant_id' and not a.attisdropped
  )
  select 'has no column tenant_id text'
    where not exists (
      select from pg_attribute
      where attrelid = target and attname = 'tenant_id' and atttypid = 'text'::regtype and not attisdropped
    )
  union all
  -- It would take different texts to be equal, and one tenant for another.
  select 'has a tenant_id whose collation is not deterministic'
    from family f join pg_collation l on l.oid = f.attcollation where not l.collisdeterministic
  union all
  select 'has no primary key'
    where not exists (select from pg_index where indrelid = target and indisprimary)
  union all
  select format('%s %I does not begin with tenant_id',
      case when i.indisprimary then 'primary key' when i.indisunique then 'unique key' else 'index' end, c.relname)
    from family f join pg_index i on i.indrelid = f.oid join pg_class c on c.oid = i.indexrelid
    where i.indkey[0] is distinct from f.attnum
  union all
  select format('index %I does not keep tenants apart: its method is not btree, or tenant_id has another collation or operator class in '
      'it than the column has by default', c.relname)
    from family f
    join pg_index i on i.indrelid = f.oid and i.indkey[0] = f.attnum
    join pg_class c on c.oid = i.indexrelid
    where i.indclass[0] not in (select s.oid from tenancy.searched_classes s) or i.indcollation[0] <> f.attcollation
  union all
  select format('foreign key %I does not begin with tenant_id on both sides', k.conname)
    from family f
    join pg_constraint k on k.contype = 'f' and k.conrelid = f.oid
    -- Only tables of tenants have the column; to a plain table a key may lead unless application code can write there.
    join pg_attribute a on a.attrelid = k.confrelid and a.attname = 'tenant_id' and not a.attisdropped
    where k.conkey[1] is distinct from f.attnum or k.confkey[1] is distinct from a.attnum
  union all
  select format('exclusion constraint %I does not compare tenant_id', k.conname)
    from family f join pg_constraint k on k.contype = 'x' and k.conrelid = f.oid
    where not f.attnum = any (k.conkey)
$$;

comment on function tenancy.key_problems is
  'What keeps a table from being a tenant table: keys, its own or those of its children, that could reach across tenants.';
