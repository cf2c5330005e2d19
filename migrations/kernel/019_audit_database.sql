-- The audit of what surrounds the tables: publications, the server, and the registry.

create function tenancy.audit_publications(tables tenancy.tenant_tables[])
returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 28, format('publication %I', p.pubname), 'The publication replicates every table, past all policies.',
    format('drop publication %I', p.pubname)
  from pg_publication p where p.puballtables
  union all
  select 28, format('publication %I', p.pubname),
    format('The publication replicates every table of the schema %I, past all policies.', n.nspname),
    format('alter publication %I drop tables in schema %I', p.pubname, n.nspname)
  from pg_publication_namespace s
  join pg_publication p on p.oid = s.pnpubid
  join pg_namespace n on n.oid = s.pnnspid
  where n.oid in (select p.oid from tenancy.placement_schemas p) or n.nspname = 'tenancy' or n.nspname in (select t.schema from unnest(tables) t)
  union all
  select 28, format('publication %I', p.pubname),
    format('The publication replicates %s, which is for nobody but the kernel.', r.prrelid::regclass),
    format('alter publication %I drop table %s', p.pubname, r.prrelid::regclass)
  from pg_publication_rel r
  join pg_publication p on p.oid = r.prpubid
  join pg_class c on c.oid = r.prrelid and c.relnamespace = 'tenancy'::regnamespace
  union all
  select 28, format('publication %I', p.pubname),
    format('The publication replicates rows of %s whatever their tenant, past its policy.', t.oid::regclass),
    format('alter publication %I drop table %s', p.pubname, t.oid::regclass)
  from pg_publication_rel r
  join pg_publication p on p.oid = r.prpubid
  join unnest(tables) t on t.oid = r.prrelid
  cross join lateral pg_get_expr(r.prqual, r.prrelid) expression
  -- Filters as tenant_id = 'acme', alone or with more conditions that narrow; another may let every row through.
  where coalesce(expression !~ $re$(^\(*|AND )\(tenant_id = ('|ANY \(')$re$ or tenancy.has_way_out(expression), true)
$$;
comment on function tenancy.audit_publications is 'Class 28.';


create function tenancy.server_flaws(version integer) returns table (flaw text, problem text, fixed integer)
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
  select f.flaw, f.problem, v.fixed
  from (values
    ('CVE-2023-2455', 'policies for a role are applied to another once a function is inlined',
      array[150003, 140008, 130011, 120015, 110020]),
    ('CVE-2024-10976', 'a cached plan may carry the policies of another role', array[170001, 160005, 150009, 140014, 130017, 120021]),
    ('CVE-2025-8713', 'statistics tell values of rows that a policy hides', array[170006, 160010, 150014, 140019, 130022])
  ) f (flaw, problem, fixes), unnest(f.fixes) v (fixed)
  where version / 10000 = v.fixed / 10000 and version < v.fixed
  union all
  select 'end of life', 'flaws in row-level security are not mended any more in this major version', 140000 where version < 140000
$$;
comment on function tenancy.server_flaws is
  'Flaws in row-level security itself that a Postgres of this server_version_num has (postgresql.org/support/security), and the '
  'version that mends each. Other flaws are for whoever patches the server.';


create function tenancy.audit_server(version integer) returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 26, format('server version %s.%s', version / 10000, version % 10000), format('%s: %s.', flaw, problem),
    format('-- Upgrade the server to %s.%s or newer.', fixed / 10000, fixed % 10000)
  from tenancy.server_flaws(version)
$$;
comment on function tenancy.audit_server is 'Class 26.';


create function tenancy.audit_homes() returns table (class integer, object text, problem text, remedy text)
language sql stable
set search_path = pg_catalog, pg_temp
as $$
  select 33, format('tenant %s', p.tenant_id),
    format('The tenant is at home in %s schemas: %s.', count(*), string_agg(p.schema, ', ' order by p.schema)),
    '-- Find out where its rows are, then select tenancy.set_placement(tenant, schema, ''moved'') for the other schemas.'
  from tenancy.placements p where p.state <> 'moved' group by p.tenant_id having count(*) > 1
  union all
  select 33, format('tenant %s', p.tenant_id), format('The tenant is at home in the schema %I, which does not exist.', p.schema),
    format('select tenancy.set_placement(%L, %L, %L)', p.tenant_id, p.schema, 'moved')
  from tenancy.placements p
  where p.state <> 'moved' and not exists (select from pg_namespace n where n.nspname = p.schema)
$$;
comment on function tenancy.audit_homes is 'What of class 33 every database can tell by itself.';


create function tenancy.audit_registry() returns table (class integer, object text, problem text, remedy text)
language plpgsql stable
set search_path = pg_catalog, pg_temp
as $$
begin
  -- One database has the registry; the others have nothing to be compared with, and their tenants cannot be judged here.
  if to_regclass('registry.tenants') is null then
    return;
  end if;
  return query
    with registered as (
      select t.tenant_id, t.state, t.schema, t.database = current_database()
        and t.cluster = coalesce((select c.name from tenancy.cluster c), t.cluster) as is_here
      from registry.tenants t
    )
    select 33, format('tenant %s', r.tenant_id),
      format('The registry has the tenant in the schema %I of this database, where it is not at home.', r.schema),
      format('select tenancy.set_placement(%L, %L, %L)', r.tenant_id, r.schema, r.state)
    from registered r
    where r.is_here and r.state in ('active', 'suspended')
      -- Who is at home in another schema is a finding below, and cannot come back before it has left that one.
      and not exists (select from tenancy.placements p where p.tenant_id = r.tenant_id and p.state <> 'moved')
    union all
    select 33, format('tenant %s', p.tenant_id),
      format('The tenant is at home in the schema %I of this database, but the registry %s.', p.schema,
        case when r.tenant_id is null then 'does not know it' else 'has it elsewhere' end),
      format('select tenancy.set_placement(%L, %L, %L)', p.tenant_id, p.schema, 'moved')
    from tenancy.placements p left join registered r using (tenant_id)
    where p.state <> 'moved' and (r.tenant_id is null or not r.is_here or r.schema <> p.schema);
end
$$;
comment on function tenancy.audit_registry is 'The rest of class 33: where the registry and this database disagree on who lives here.';
