import { asOwner, type AuditCase, crm, elsewhere } from './audit-case.ts';
import { functionDetourNearMisses, functionDetours, triggerDetours } from './detours.ts';

const view = 'create view pool.all_projects as select * from pool.projects;';
const pinned = 'set search_path = pg_catalog, pg_temp';
/** Of the owner, for everybody. */
const definer = (name: string, body: string, more = pinned, language = 'sql'): string =>
  `create schema if not exists crm authorization tenantry_owner; grant usage on schema crm to tenantry_app;
   ${asOwner(`create function crm.${name} language ${language} security definer ${more} ${body};
     grant execute on all functions in schema crm to public`)}`;
/** Of the owner, elsewhere, and neither protected nor granted. */
const leads = `${crm} ${asOwner('create table crm.leads (tenant_id text, id int)')}`;
const touch = (rights: string): string =>
  asOwner(`create function pool.touch() returns trigger language plpgsql security ${rights} as 'begin return new; end';
    create trigger touch before update on pool.projects for each row execute function pool.touch()`);

/** A table that is nobody's and that application code may write, and a trigger function that makes tasks of what is written. */
const inbox = `${crm} ${asOwner(`create table crm.inbox (title text); grant select, insert on crm.inbox to tenantry_app;
  create function crm.spread() returns trigger language plpgsql security definer ${pinned}
    as 'begin update pool.tasks set title = new.title; return new; end'`)}`;

export const code: readonly AuditCase[] = [
  {
    class: 6,
    holes: [
      {
        title: 'a view of a superuser',
        plant: `${view} grant select on pool.all_projects to tenantry_app`,
        object: 'pool.all_projects',
      },
      {
        title: 'a view of a superuser above one with the rights of its caller',
        plant: `${asOwner('create view pool.inner_view with (security_invoker) as select * from pool.projects')}
          create view pool.outer_view as select * from pool.inner_view; grant select (name) on pool.outer_view to public`,
        object: 'pool.outer_view',
      },
      {
        title: 'a view of a superuser below one that can be read',
        plant: `${view} create view pool.names with (security_invoker) as select name from pool.all_projects;
          grant select on pool.names to tenantry_app`,
        object: 'pool.all_projects',
      },
      {
        title: 'a view of the owner over signing keys',
        plant: `${crm} ${asOwner('create view crm.keys as select key_id from tenancy.signing_keys; grant select on crm.keys to tenantry_app')}`,
        object: 'crm.keys',
      },
      {
        title: 'a view of the owner over a sequence',
        plant: `${crm} ${asOwner(`create sequence pool.numbers; create view crm.volume as select last_value from pool.numbers;
          grant select on crm.volume to tenantry_app`)}`,
        object: 'crm.volume',
      },
      {
        title: "a view of the owner over a view of the kernel's",
        plant: `${crm} ${asOwner('create view crm.homes as select * from tenancy.placement_schemas; grant select on crm.homes to public')}`,
        object: 'crm.homes',
      },
      {
        title: 'a view by which the authorizer writes the registry',
        plant: asOwner(`create view registry.states as select tenant_id, state from registry.tenants;
          grant select, update on registry.states to tenantry_authorizer`),
        object: 'registry.states',
        also: [31],
      },
      {
        title: 'a view of the owner over a table with tenant_id that nobody reaches otherwise',
        plant: `${leads} ${asOwner('create view crm.names as select id from crm.leads; grant select on crm.names to tenantry_app')}`,
        object: 'crm.names',
      },
      {
        title: 'a view of the owner over what a tenant table inherits from',
        plant: `${crm} ${asOwner(`create table crm.named (name text); alter table pool.projects inherit crm.named;
          create view crm.names as select name from crm.named; grant select on crm.names to tenantry_app`)}`,
        object: 'crm.names',
      },
      {
        title: 'a view over one with an open policy',
        plant: `${leads} ${asOwner(`alter table crm.leads enable row level security, force row level security;
          create policy open on crm.leads using (true);
          create view crm.names as select id from crm.leads; grant select on crm.names to tenantry_app`)}`,
        object: 'crm.names',
      },
    ],
    nearMisses: [
      {
        title: 'a view of the registry for the control plane',
        plant: asOwner(`create view registry.plans as select plan, count(*) from registry.tenants group by plan;
          grant select on registry.plans to tenantry_control`),
      },
      {
        title: 'a view of the owner over a table with tenant_id that nobody reaches otherwise and that binds the owner',
        plant: `${crm} ${asOwner(`create table crm.leads (tenant_id text, id int, primary key (tenant_id, id));
          select tenancy.protect('crm.leads'); revoke all on crm.leads from tenantry_app;
          create view crm.names as select id from crm.leads; grant select on crm.names to tenantry_app`)}`,
      },
      {
        title: 'a view of the owner, whom the policy binds as well',
        plant: asOwner(`${view} grant select on pool.all_projects to tenantry_app`),
      },
      {
        title: 'a view of a superuser with the rights of its caller',
        plant: `create view pool.all_projects with (security_invoker = on) as select * from pool.projects;
          grant select on pool.all_projects to tenantry_app`,
      },
      { title: 'a view of a superuser that nobody may read', plant: view },
    ],
  },
  {
    class: 7,
    holes: [
      {
        title: 'a SECURITY DEFINER function without a search_path',
        plant: definer('today() returns date', `as 'select current_date'`, ''),
        object: 'crm.today()',
      },
      {
        title: 'one whose search_path does not name pg_temp',
        plant: definer('today() returns date', `as 'select current_date'`, 'set search_path = pg_catalog'),
        object: 'crm.today()',
      },
      {
        title: 'one that reads a tenant table',
        plant: definer('total() returns bigint', `as 'select count(*) from pool.projects'`),
        object: 'crm.total()',
      },
      {
        title: 'one that reads a tenant table and has no text',
        plant: definer('total() returns bigint', 'return (select count(*) from pool.tasks)'),
        object: 'crm.total()',
      },
      {
        title: 'one that puts the schema in later',
        plant: definer(
          'wipe(home text) returns void',
          `as $$ begin execute format('delete from %I.projects', home); end $$`,
          pinned,
          'plpgsql',
        ),
        object: 'crm.wipe(text)',
      },
      {
        title: 'one that reads a tenant table whose name needs quotes',
        plant: `${asOwner('create table pool."Old notes" (tenant_id text not null, id int, primary key (tenant_id, id))')}
          select tenancy.protect('pool."Old notes"');
          ${definer('total() returns bigint', `as 'select count(*) from pool."Old notes"'`)}`,
        object: 'crm.total()',
      },
      {
        title: 'one that reads a tenant table through a view of the owner',
        plant: `${crm} ${asOwner('create view crm.everything as select * from pool.projects')}
          ${definer('total() returns bigint', `as 'select count(*) from crm.everything'`)}`,
        object: 'crm.total()',
      },
      {
        title: 'one that reads a tenant table through a function without the right',
        plant: `${crm} ${asOwner(`create function crm.count_them() returns bigint language sql as 'select count(*) from pool.projects'`)}
          ${definer('total() returns bigint', `as 'select crm.count_them()'`)}`,
        object: 'crm.total()',
      },
      {
        title: 'one that reads a table with tenant_id that nobody else reaches',
        plant: `${leads} ${definer('total() returns bigint', `as 'select count(*) from crm.leads'`)}`,
        object: 'crm.total()',
      },
      {
        title: 'one of a superuser, whatever it does',
        plant: `create function public.today() returns date language sql security definer ${pinned} as 'select current_date'`,
        object: 'public.today()',
      },
      {
        title: 'one of a role with BYPASSRLS',
        plant: `${definer('today() returns date', `as 'select current_date'`)} create role importer bypassrls;
          grant create on schema crm to importer; alter function crm.today owner to importer`,
        object: 'crm.today()',
      },
      {
        title: 'one that reads signing keys',
        plant: definer('keys() returns bigint', `as 'select count(*) from tenancy.signing_keys'`),
        object: 'crm.keys()',
      },
      {
        title: 'one that reads signing keys by its path',
        plant: definer(
          'keys() returns bigint',
          `as 'select count(*) from signing_keys'`,
          'set search_path = tenancy, pg_temp',
        ),
        object: 'crm.keys()',
      },
      {
        title: 'one that reads the registry',
        plant: definer('tenants() returns bigint', `as 'select count(*) from "registry" . tenants'`),
        object: 'crm.tenants()',
      },
      {
        title: 'one that moves tenants',
        plant: definer(
          'move(tenant text) returns void',
          `as $$ select tenancy.set_placement(tenant, 'pool', 'moved') $$`,
        ),
        object: 'crm.move(text)',
      },
      ...functionDetours,
      {
        title: 'one that runs its argument',
        plant: definer('run(query text) returns void', `as 'begin execute query; end'`, pinned, 'plpgsql'),
        object: 'crm.run(text)',
      },
      {
        title: 'one that has its argument run by another',
        plant: `${crm} ${asOwner(`create function crm.helper(query text) returns void language plpgsql as 'begin execute query; end'`)}
          ${definer('run(query text) returns void', `as 'select crm.helper(query)'`)}`,
        object: 'crm.run(text)',
        also: [35],
      },
      {
        title: 'one that runs its argument as XML, and has no text',
        plant: definer('run(query text) returns xml', `return query_to_xml(query, true, false, '')`),
        object: 'crm.run(text)',
      },
      {
        title: 'one with a name in Unicode escapes',
        plant: definer('total() returns bigint', `as $$ select count(*) from pool.U&"\\0070rojects" $$`),
        object: 'crm.total()',
      },
      {
        title: "one of Postgres's own",
        plant: 'alter function pg_catalog.upper(text) security definer',
        object: 'upper(text)',
      },
      {
        title: 'one that reads a tenant table behind what only looks like a comment',
        plant: definer('total() returns bigint', `as $$ select count('--') from pool.projects $$`),
        object: 'crm.total()',
      },
    ],
    nearMisses: [
      {
        title: 'one that is pinned and reads no tenant table',
        plant: `${crm} create table crm.countries (code text primary key);
          ${definer('countries() returns bigint', `as 'select count(*) from crm.countries'`)}`,
      },
      {
        title: 'one with an empty search_path',
        plant: definer('today() returns date', `as 'select current_date'`, `set search_path = ''`),
      },
      {
        title: 'one of a superuser that application code cannot call',
        plant: `create function public.total() returns bigint language sql security definer as 'select count(*) from pool.projects';
          revoke execute on function public.total from public`,
      },
      {
        title: 'one that reads a table of the same name elsewhere',
        plant: `${crm} ${asOwner('create table crm.projects (id int)')}
          ${definer('total() returns bigint', `as 'select count(*) from crm.projects'`)}`,
      },
      {
        title: "one that uses words of the kernel's, and names tables and EXECUTE in comments",
        plant: definer(
          'today() returns date',
          `as $$ -- Not from pool.projects: it doesn't execute anything.
            declare placements date = current_date; /* tenancy.signing_keys */ begin return placements; end $$`,
          pinned,
          'plpgsql',
        ),
      },
      {
        title: 'one that runs a constant',
        plant: definer(
          'today() returns date',
          `as $$ declare result date; begin execute 'select current_date' into result; return result; end $$`,
          pinned,
          'plpgsql',
        ),
      },
      {
        title: 'one that asks the kernel what everybody may',
        plant: definer('mine() returns text', `as $$ select tenancy.current_tenant('pool') $$`),
      },
      ...functionDetourNearMisses,
    ],
  },
  {
    class: 8,
    holes: [
      { title: "a trigger with its owner's rights", plant: touch('definer'), object: 'trigger touch on pool.projects' },
      {
        title: "a trigger with its owner's rights on a partition in another schema",
        plant: `${elsewhere} ${touch('definer')} drop trigger touch on pool.projects;
          create trigger touch before insert on crm.events_1 for each row execute function pool.touch()`,
        object: 'trigger touch on crm.events_1',
      },
      {
        title: 'a rule',
        plant: asOwner(`create rule copy as on insert to pool.tasks do also
          insert into pool.idempotency_keys (key, status, expires_at) values (new.title, 'COMPLETED', 0)`),
        object: 'rule copy on pool.tasks',
      },
      {
        title: "a trigger on a plain table that writes a tenant table with its owner's rights",
        plant: `${inbox} ${asOwner(`create trigger spread before insert on crm.inbox for each row execute function crm.spread()`)}`,
        object: 'trigger spread on crm.inbox',
      },
      {
        title: 'the same on a table that is written through a view',
        plant: `${inbox} ${asOwner(`create trigger spread before insert on crm.inbox for each row execute function crm.spread();
          revoke all on crm.inbox from tenantry_app;
          create view crm.door as select * from crm.inbox; grant insert on crm.door to tenantry_app`)}`,
        object: 'trigger spread on crm.inbox',
      },
      {
        title: 'the same in place of writing to a view',
        plant: `${inbox} ${asOwner(`create view crm.door as select 'x' as title; grant insert on crm.door to tenantry_app;
          create trigger spread instead of insert on crm.door for each row execute function crm.spread()`)}`,
        object: 'trigger spread on crm.door',
      },
      ...triggerDetours,
      {
        title: 'a rule on a plain table that writes a tenant table',
        plant: `${inbox} ${asOwner(`create rule spread as on insert to crm.inbox do also update pool.tasks set title = new.title`)}`,
        object: 'rule spread on crm.inbox',
      },
      {
        title: 'a rule on a view with the rights of its caller',
        plant: `${crm} ${asOwner(`create view crm.door with (security_invoker) as select 'x' as title;
          grant insert on crm.door to tenantry_app;
          create rule spread as on insert to crm.door do instead delete from pool.tasks where title = new.title`)}`,
        object: 'rule spread on crm.door',
      },
      {
        title: 'a rule that writes the kernel',
        plant: `${inbox} ${asOwner(`create rule spread as on insert to crm.inbox do also update tenancy.placements set state = new.title`)}`,
        object: 'rule spread on crm.inbox',
      },
    ],
    nearMisses: [
      { title: 'a trigger with the rights of whoever writes', plant: touch('invoker') },
      {
        title: 'a trigger with the rights of its owner on a table that nobody may write',
        plant: `${inbox} ${asOwner(`create trigger spread before insert on crm.inbox for each row execute function crm.spread();
          revoke insert on crm.inbox from tenantry_app`)}`,
      },
      {
        title: "a trigger with its owner's rights, and a rule, that keep to plain tables",
        plant: `${inbox} ${asOwner(`create table crm.log (title text);
          create function crm.note() returns trigger language plpgsql security definer ${pinned}
            as 'begin insert into crm.log values (new.title); return new; end';
          create trigger note before insert on crm.inbox for each row execute function crm.note();
          create rule note as on insert to crm.inbox do also insert into crm.log values (new.title)`)}`,
      },
    ],
  },
  {
    class: 9,
    holes: [
      {
        title: 'a materialized view in a schema of tenants',
        plant: asOwner(`create materialized view pool.names as select name from pool.projects with no data;
          grant select on pool.names to tenantry_app`),
        object: 'pool.names',
      },
      {
        title: 'one elsewhere, over a view',
        plant: `${crm} ${asOwner(view)} create materialized view crm.totals as select count(*) from pool.all_projects with no data;
          grant select on crm.totals to public`,
        object: 'crm.totals',
      },
      {
        title: 'one that is read through a view',
        plant: `${crm} ${asOwner(`create materialized view crm.totals as select count(*) from pool.projects with no data;
          create view crm.numbers as select * from crm.totals; grant select on crm.numbers to tenantry_app`)}`,
        object: 'crm.totals',
      },
      {
        title: 'one over a table with tenant_id that nobody reaches otherwise',
        plant: `${leads} ${asOwner(`create materialized view crm.totals as select count(*) from crm.leads with no data;
          grant select on crm.totals to tenantry_app`)}`,
        object: 'crm.totals',
      },
      {
        title: 'one over the registry',
        plant: `${crm} ${asOwner(`create materialized view crm.plans as select plan, count(*) from registry.tenants group by plan;
          grant select on crm.plans to tenantry_app`)}`,
        object: 'crm.plans',
      },
    ],
    nearMisses: [
      {
        title: 'one that application code cannot read',
        plant: asOwner('create materialized view pool.names as select name from pool.projects with no data'),
      },
      {
        title: "one over tables that are nobody's",
        plant: `${crm} create table crm.countries (code text primary key);
          create materialized view crm.codes as select code from crm.countries; grant select on crm.codes to tenantry_app`,
      },
      {
        title: 'one over the registry for the control plane',
        plant: `${crm} grant usage on schema crm to tenantry_control;
          create materialized view crm.plans as select plan, count(*) from registry.tenants group by plan;
          grant select on crm.plans to tenantry_control`,
      },
    ],
  },
];
