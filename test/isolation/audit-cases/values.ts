import { asOwner, type AuditCase, countries, crm } from './audit-case.ts';

const textIndex = 'create index names on pool.projects (tenant_id, lower(name));';
/** Partitioned by that, and protected. */
const parted = (by: string, columns = ''): string =>
  asOwner(`create table pool.events (tenant_id text, at date, kind text, ${columns} primary key (tenant_id, at, kind)) partition by ${by};
    select tenancy.protect('pool.events')`);

/** What Postgres keeps about rows besides them. */
export const values: readonly AuditCase[] = [
  {
    class: 34,
    holes: [
      {
        title: 'a column that ANALYZE is told to look at',
        plant: 'alter table pool.projects alter description set statistics 100',
        object: 'pool.projects',
      },
      {
        title: 'a column that was added outside of migrations',
        plant: 'alter table pool.projects add color text',
        object: 'pool.projects',
      },
      {
        title: 'an index of an expression that was made outside of migrations',
        plant: textIndex,
        object: 'pool.names',
      },
      {
        title: 'a child that was made outside of migrations, in another schema',
        plant: `${crm} ${asOwner('create table crm.archive () inherits (pool.projects)')}`,
        object: 'crm.archive',
      },
      {
        title: 'extended statistics',
        plant: 'create statistics pool.mix on (lower(title)) from pool.tasks',
        object: 'statistics pool.mix',
      },
    ],
    nearMisses: [
      {
        title: 'what was made outside of migrations, once it is hidden',
        plant: `${crm} ${textIndex} ${asOwner('create table crm.archive () inherits (pool.projects)')}
          alter table pool.projects add color text; select tenancy.hide_values('pool.projects')`,
      },
      { title: 'more statistics of tenants', plant: 'alter table pool.projects alter tenant_id set statistics 1000' },
      {
        title: "statistics of a table that is nobody's",
        plant: `${crm} create table crm.countries (code text primary key, label text);
          create statistics crm.mix on (lower(label)) from crm.countries; create index on crm.countries (lower(label))`,
      },
    ],
  },
  {
    class: 36,
    holes: [
      {
        title: 'a shared table of which whole rows can be read, and that rows of tenants reference',
        plant: countries('select'),
        object: 'crm.countries',
      },
      {
        title: 'the same for what the shared table inherits from',
        plant: `${countries('insert')} ${asOwner(`create table crm.codes (code text); alter table crm.countries inherit crm.codes;
          grant select on crm.codes to public`)}`,
        object: 'crm.codes',
      },
    ],
    nearMisses: [
      { title: 'a shared table of which columns can be read', plant: countries('select (code, label)') },
      {
        title: 'a shared table that no tenant references',
        plant: `${countries('insert')} ${asOwner(`create table crm.continents (id int primary key);
          alter table crm.countries add continent int references crm.continents; grant select on crm.continents to tenantry_app`)}`,
      },
    ],
  },
  {
    class: 37,
    holes: [
      {
        title: 'a partial index',
        plant: 'create index late on pool.tasks (tenant_id, due_on) where assignee is null',
        object: 'pool.late on pool.tasks',
      },
      {
        title: 'a unique partial index',
        plant: "create unique index open on pool.tasks (tenant_id, title) where status <> 'done'",
        object: 'pool.open on pool.tasks',
        isAdvice: true,
      },
      { title: 'partitions by lists of values', plant: parted('list (kind)'), object: 'pool.events', isAdvice: true },
      { title: 'partitions by ranges of values', plant: parted('range (kind)'), object: 'pool.events', isAdvice: true },
    ],
    nearMisses: [
      {
        title: 'a partial index of some tenants',
        plant: `create index late on pool.tasks (tenant_id, due_on) where tenant_id <> 'acme'`,
      },
      { title: 'partitions by time', plant: parted('range (at)') },
      {
        title: 'partitions by tenant, and by hashes',
        plant: parted('list (tenant_id)').replace('list (tenant_id)', 'hash (tenant_id, kind)'),
      },
    ],
  },
];
