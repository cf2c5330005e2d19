import { anyCase, asOwner, type AuditCase, crm, notes, policyOf } from './audit-case.ts';

const internal = asOwner(`create table crm.internal (tenant_id text not null, id int, primary key (tenant_id, id))`);

export const tables: readonly AuditCase[] = [
  {
    class: 1,
    holes: [
      {
        title: 'a table whose row-level security was switched off',
        plant: 'alter table pool.projects disable row level security',
        object: 'pool.projects',
      },
      {
        title: 'a reachable table with tenant_id outside of the placement schemas',
        plant: `${crm} ${asOwner(`create table crm.leads (tenant_id text, id int, primary key (tenant_id, id));
          select tenancy.protect('crm.leads'); alter table crm.leads disable row level security`)}`,
        object: 'crm.leads',
      },
    ],
    nearMisses: [
      {
        title: 'a table without tenant_id outside of the placement schemas',
        plant: `${crm} ${asOwner('create table crm.countries (code text primary key); grant select on crm.countries to tenantry_app')}`,
      },
      {
        title: 'a table with tenant_id that application code cannot reach',
        plant: `${crm} ${internal}`,
      },
    ],
  },
  {
    class: 2,
    holes: [{ title: 'a table without its policy', plant: 'drop policy tenant on pool.tasks', object: 'pool.tasks' }],
    nearMisses: [{ title: 'a policy of another name', plant: 'alter policy tenant on pool.tasks rename to mine' }],
  },
  {
    class: 3,
    holes: [
      {
        title: 'row-level security that is not forced on the owner',
        plant: 'alter table pool.projects no force row level security',
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'unforced row-level security on a table that application code cannot reach',
        plant: `${crm} ${internal} alter table crm.internal enable row level security`,
      },
    ],
  },
  {
    class: 5,
    holes: [
      {
        title: 'a table that the application role owns',
        plant: 'alter table pool.projects owner to tenantry_app',
        object: 'pool.projects',
      },
      {
        title: 'a table that a member of the application role owns',
        plant: 'create role svc in role tenantry_app; alter table pool.projects owner to svc',
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a table that a role of nobody owns',
        plant: 'create role archivist; alter table pool.projects owner to archivist',
      },
    ],
  },
  {
    class: 19,
    holes: [
      {
        title: 'a table without tenant_id, which nothing protects either',
        plant: asOwner('create table pool.settings (id int primary key)'),
        object: 'pool.settings',
        also: [1, 30],
        isAdvice: true,
      },
      {
        title: 'a tenant_id that may be null',
        plant: `${notes()} alter table pool.notes drop constraint notes_pkey, alter tenant_id drop not null`,
        object: 'pool.notes',
      },
      {
        title: 'a tenant_id that may be empty',
        plant: 'alter table pool.projects drop constraint tenant_id_not_empty',
        object: 'pool.projects',
      },
      {
        title: 'a check that rows of before need not pass',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add constraint later check (tenant_id <> '') not valid`,
        object: 'pool.projects',
      },
      {
        title: 'a check that is always true',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add check ((tenant_id <> '') is not null)`,
        object: 'pool.projects',
      },
      {
        title: 'a tenant_id to which capital letters are the same',
        plant: `${anyCase} drop policy tenant on pool.projects; alter table pool.tasks drop constraint tasks_tenant_id_project_id_fkey;
          alter table pool.projects alter tenant_id type text collate any_case;
          create policy tenant on pool.projects using (${policyOf('pool')})`,
        object: 'pool.projects',
        isAdvice: true,
      },
      {
        title: 'a check that leaves a way out',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add check (tenant_id <> '' or tenant_id is not null)`,
        object: 'pool.projects',
      },
      {
        title: 'a check that is turned around',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add check ((tenant_id <> '' and length(tenant_id) > 2) is not true)`,
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a tenant_id of another collation that takes different texts to be different',
        plant: `drop policy tenant on pool.projects; alter table pool.tasks drop constraint tasks_tenant_id_project_id_fkey;
          alter table pool.projects alter tenant_id type text collate "C";
          create policy tenant on pool.projects using (${policyOf('pool')})`,
      },
      {
        title: 'a check with more to it',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add check (tenant_id is not null and tenant_id <> '')`,
      },
      {
        title: 'a check of the length',
        plant: `alter table pool.projects drop constraint tenant_id_not_empty;
          alter table pool.projects add check (char_length(tenant_id) between 2 and 40)`,
      },
    ],
  },
  {
    class: 30,
    holes: [
      { title: 'a table without a fence', plant: 'drop trigger fence on pool.projects', object: 'pool.projects' },
      {
        title: 'a fence that is switched off',
        plant: 'alter table pool.projects disable trigger fence',
        object: 'pool.projects',
      },
      {
        title: 'a fence that does not fire for replicated writes',
        plant: 'alter table pool.projects enable trigger fence',
        object: 'pool.projects',
      },
      {
        title: 'a fence with a condition',
        plant: `drop trigger fence on pool.projects;
          create trigger fence before insert or update or delete on pool.projects
          for each statement when (current_user <> 'postgres') execute function tenancy.fence();
          alter table pool.projects enable always trigger fence`,
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a fence of another name beside a trigger of the table',
        plant: `alter trigger fence on pool.projects rename to zaun;
          ${asOwner(`create function pool.touch() returns trigger language plpgsql as 'begin return new; end';
          create trigger touch before update on pool.projects for each row execute function pool.touch()`)}`,
      },
    ],
  },
];
