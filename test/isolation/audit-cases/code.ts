import { asOwner, type AuditCase, crm } from './audit-case.ts';

const view = 'create view pool.all_projects as select * from pool.projects;';
const definer = (name: string, body: string, more = ''): string =>
  `create function public.${name} language sql security definer ${more} ${body};`;
const touch = (rights: string): string =>
  asOwner(`create function pool.touch() returns trigger language plpgsql security ${rights} as 'begin return new; end';
    create trigger touch before update on pool.projects for each row execute function pool.touch()`);

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
    ],
    nearMisses: [
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
        plant: definer('today() returns date', `as 'select current_date'`),
        object: 'public.today()',
      },
      {
        title: 'one whose search_path does not name pg_temp',
        plant: definer('today() returns date', `as 'select current_date'`, 'set search_path = pg_catalog'),
        object: 'public.today()',
      },
      {
        title: 'one that reads a tenant table',
        plant: definer(
          'total() returns bigint',
          `as 'select count(*) from pool.projects'`,
          'set search_path = pg_catalog, pg_temp',
        ),
        object: 'public.total()',
      },
      {
        title: 'one that reads a tenant table and has no text',
        plant: definer(
          'total() returns bigint',
          'return (select count(*) from pool.tasks)',
          'set search_path = pg_catalog, pg_temp',
        ),
        object: 'public.total()',
      },
      {
        title: 'one that puts the schema in later',
        plant: `create function public.wipe(home text) returns void language plpgsql security definer
          set search_path = pg_catalog, pg_temp as $$ begin execute format('delete from %I.projects', home); end $$`,
        object: 'public.wipe(text)',
      },
    ],
    nearMisses: [
      {
        title: 'one that is pinned and reads no tenant table',
        plant: definer(
          'tenants() returns bigint',
          `as 'select count(*) from registry.tenants'`,
          'set search_path = pg_catalog, pg_temp',
        ),
      },
      {
        title: 'one with an empty search_path',
        plant: definer('today() returns date', `as 'select current_date'`, `set search_path = ''`),
      },
      {
        title: 'one that application code cannot call',
        plant: `${definer('total() returns bigint', `as 'select count(*) from pool.projects'`)}
          revoke execute on function public.total from public`,
      },
      {
        title: 'one that reads a table of the same name elsewhere',
        plant: `${crm} create table crm.projects (id int); ${definer(
          'total() returns bigint',
          `as 'select count(*) from crm.projects'`,
          'set search_path = pg_catalog, pg_temp',
        )}`,
      },
    ],
  },
  {
    class: 8,
    holes: [
      { title: "a trigger with its owner's rights", plant: touch('definer'), object: 'trigger touch on pool.projects' },
      {
        title: 'a rule',
        plant: asOwner(`create rule copy as on insert to pool.tasks do also
          insert into pool.idempotency_keys (key, status, expires_at) values (new.title, 'COMPLETED', 0)`),
        object: 'rule copy on pool.tasks',
      },
    ],
    nearMisses: [{ title: 'a trigger with the rights of whoever writes', plant: touch('invoker') }],
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
    ],
    nearMisses: [
      {
        title: 'one that application code cannot read',
        plant: asOwner('create materialized view pool.names as select name from pool.projects with no data'),
      },
      {
        title: "one over tables that are nobody's",
        plant: `${crm} create materialized view crm.plans as select plan, count(*) from registry.tenants group by plan;
          grant select on crm.plans to tenantry_app`,
      },
    ],
  },
];
