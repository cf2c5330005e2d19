import { asOwner, type AuditCase, crm, policyOf } from './audit-case.ts';

const events = asOwner(`
  create table pool.events (tenant_id text not null, id int, primary key (tenant_id, id)) partition by hash (tenant_id);
  create table pool.events_0 partition of pool.events for values with (modulus 1, remainder 0);
  select tenancy.protect('pool.events')`);

export const children: readonly AuditCase[] = [
  {
    class: 10,
    holes: [
      {
        title: 'a partition that can be read directly',
        plant: `${events} grant select on pool.events_0 to tenantry_app`,
        object: 'pool.events_0',
      },
      {
        title: 'a partition of which one column can be read',
        plant: `${events} grant select (id) on pool.events_0 to public`,
        object: 'pool.events_0',
      },
      {
        title: 'a child that inherits',
        plant: asOwner(
          `create table pool.archive () inherits (pool.projects); select tenancy.hide_values('pool.projects');
           grant select on pool.archive to tenantry_app`,
        ),
        object: 'pool.archive',
      },
      {
        title: 'what a tenant table inherits from, which has no tenant_id',
        plant: `${crm} ${asOwner(`create table crm.named (name text); grant select on crm.named to tenantry_app;
          alter table pool.projects inherit crm.named`)}`,
        object: 'crm.named',
      },
    ],
    nearMisses: [
      {
        title: 'what a tenant table inherits from, which nobody may read',
        plant: `${crm} ${asOwner('create table crm.named (name text); alter table pool.projects inherit crm.named')}`,
      },
      { title: 'a partition that is reached through its parent alone', plant: events },
      {
        title: 'a partition that is protected itself',
        plant: `${events} ${asOwner(`alter table pool.events_0 enable row level security, force row level security;
          create policy tenant on pool.events_0 using (${policyOf('pool')});
          create trigger fence before insert or update or delete on pool.events_0 for each statement execute function tenancy.fence();
          alter table pool.events_0 enable always trigger fence; grant select on pool.events_0 to tenantry_app`)}`,
      },
      {
        title: 'a child that nobody may read',
        plant: asOwner(
          `create table pool.archive () inherits (pool.projects); select tenancy.hide_values('pool.projects')`,
        ),
      },
    ],
  },
  {
    class: 11,
    holes: [
      {
        title: 'a foreign table in a placement schema',
        plant: `create extension file_fdw; create server files foreign data wrapper file_fdw;
          create foreign table pool.imports (tenant_id text) server files options (filename '/dev/null');
          alter foreign table pool.imports owner to tenantry_owner`,
        object: 'pool.imports',
      },
    ],
    nearMisses: [
      {
        title: 'a foreign table that application code cannot reach',
        plant: `${crm} create extension file_fdw; create server files foreign data wrapper file_fdw;
          create foreign table crm.imports (tenant_id text) server files options (filename '/dev/null')`,
      },
    ],
  },
];
