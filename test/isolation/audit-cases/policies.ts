import { asOwner, type AuditCase, crm, policyOf } from './audit-case.ts';

const kernels = policyOf('pool');
const replaced = (definition: string): string =>
  `drop policy tenant on pool.projects; create policy tenant on pool.projects ${definition}`;

export const policies: readonly AuditCase[] = [
  {
    class: 14,
    holes: [
      {
        title: 'a WITH CHECK that lets everything pass',
        plant: replaced(`using (${kernels}) with check (true)`),
        object: 'pool.projects',
        problem: "WITH CHECK differs from the kernel's",
      },
      {
        title: "a WITH CHECK that is stricter than the kernel's, which does not say so of itself",
        plant: replaced(`using (${kernels}) with check (${kernels} and not archived)`),
        object: 'pool.projects',
        problem: "WITH CHECK differs from the kernel's",
      },
    ],
    nearMisses: [
      { title: "a WITH CHECK that is the kernel's", plant: replaced(`using (${kernels}) with check (${kernels})`) },
    ],
  },
  {
    class: 15,
    holes: [
      { title: 'USING (true)', plant: replaced('using (true)'), object: 'pool.projects' },
      {
        title: 'USING (true) for reading',
        plant: replaced('for select using (true)'),
        object: 'pool.projects',
      },
      {
        title: 'a setting that anybody can set',
        plant: replaced(`using (tenant_id = current_setting('app.tenant'))`),
        object: 'pool.projects',
      },
      {
        title: 'the policy of another schema',
        plant: replaced(`using (${policyOf('other')})`),
        object: 'pool.projects',
      },
      {
        title: 'the policy with a way out',
        plant: replaced(`using (${kernels} or archived)`),
        object: 'pool.projects',
      },
      {
        title: 'a restrictive policy, which fails at values of others before they are hidden',
        plant: `create policy visible on pool.projects as restrictive for select
          using (description is null or description::date <= current_date)`,
        object: 'policy visible on pool.projects',
      },
      {
        title: 'a restrictive policy for writing',
        plant: `create policy kept on pool.projects as restrictive for update using (not archived) with check (true)`,
        object: 'policy kept on pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a restrictive policy on what is written, which sees no rows that are there',
        plant: `create policy short on pool.projects as restrictive for insert with check (char_length(name) < 100)`,
      },
      {
        title: "the kernel's policy in a schema whose name needs escapes",
        plant: asOwner(String.raw`create schema "we""ird'%s \x"; grant usage on schema "we""ird'%s \x" to tenantry_app;
          create table "we""ird'%s \x".t (tenant_id text, id int, primary key (tenant_id, id));
          select tenancy.protect('"we""ird''%s \x".t')`),
      },
    ],
  },
  {
    class: 16,
    holes: [
      {
        title: 'a second permissive policy, though it is the same',
        plant: `create policy second on pool.projects using (${kernels})`,
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a permissive and a restrictive policy',
        plant: `create policy second on pool.projects as restrictive using (${kernels})`,
      },
    ],
  },
  {
    class: 17,
    holes: [
      {
        title: 'a policy for the owner alone',
        plant: 'alter policy tenant on pool.projects to tenantry_owner',
        object: 'pool.projects',
      },
      {
        title: 'a second application role that a policy leaves out',
        plant: `alter policy tenant on pool.projects to tenantry_app;
          create role silo_app; grant usage on schema tenancy to silo_app; grant select on pool.projects to silo_app`,
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a policy for the application role, the only one with privileges',
        plant: 'alter policy tenant on pool.projects to tenantry_app',
      },
    ],
  },
  {
    class: 18,
    holes: [
      {
        title: 'a policy that reads a table without policies',
        plant: `${crm} ${asOwner('create table crm.flags (id int primary key)')}
          create policy flagged on pool.projects as restrictive for insert with check (exists (select from crm.flags))`,
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'a policy that reads a protected table',
        plant: `create policy busy on pool.projects as restrictive for insert with check (exists (select from pool.tasks))`,
      },
    ],
  },
  {
    class: 21,
    holes: [
      {
        title: 'a policy that proves the tenant at each row',
        plant: replaced(`using (tenant_id = tenancy.current_tenant('pool'))`),
        object: 'pool.projects',
      },
    ],
    nearMisses: [{ title: 'the policy, written by hand', plant: replaced(`using (${kernels})`) }],
  },
];
