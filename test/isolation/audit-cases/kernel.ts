import { asOwner, type AuditCase, crm } from './audit-case.ts';

/** Would run as whoever writes the table, who is its owner. */
const touch = (table: string, rights = 'invoker'): string =>
  crm +
  asOwner(`create function crm.touch() returns trigger language plpgsql security ${rights}
      set search_path = pg_catalog, pg_temp as 'begin return new; end';
    create trigger touch before insert or update on ${table} for each row execute function crm.touch()`);

export const kernel: readonly AuditCase[] = [
  {
    class: 20,
    holes: [
      {
        title: 'a context function that believes a setting',
        plant: `create or replace function tenancy.current_tenant(home text) returns text language sql stable security definer
          set search_path = pg_catalog, pg_temp as $$ select current_setting('app.tenant', true) $$`,
        object: 'tenancy.current_tenant(text)',
      },
      {
        title: 'a context function that a plan may freeze',
        plant: 'alter function tenancy.current_tenant immutable',
        object: 'tenancy.current_tenant(text)',
      },
      {
        title: 'a context function of another role',
        plant:
          'create role other; grant create on schema tenancy to other; alter function tenancy.current_tenant owner to other',
        object: 'tenancy.current_tenant(text)',
      },
      {
        title: 'a function that no migration has made',
        plant: asOwner(`create function tenancy.login(tenant text) returns void language sql as 'select'`),
        object: 'tenancy.login(text)',
      },
      {
        title: 'the function of the registry that reads signing keys, replaced',
        plant:
          asOwner(`create or replace function registry.current_placement(capability text) returns jsonb language sql stable
          security definer set search_path = pg_catalog, pg_temp
          as $$ select jsonb_agg(to_jsonb(t)) from registry.tenants t $$`),
        object: 'registry.current_placement(text)',
      },
      { title: 'a function that is gone', plant: 'drop function tenancy.leave', object: 'tenancy.leave(text)' },
      {
        title: 'a view of the audit that looks away',
        plant: `create or replace view tenancy.placement_schemas as
          select n.oid, n.nspname from pg_namespace n where n.nspname = 'nowhere'`,
        object: 'tenancy.placement_schemas',
      },
      {
        title: 'signing keys of another role',
        plant: 'create role other; alter table tenancy.signing_keys owner to other',
        object: 'tenancy.signing_keys',
      },
      ...['tenancy.signing_keys', 'tenancy.placements', 'registry.tenants'].map((table) => ({
        title: `a trigger with the rights of whoever writes on ${table}`,
        plant: touch(table),
        object: `trigger touch on ${table}`,
      })),
      {
        title: "a trigger on the registry with its owner's rights",
        plant: touch('registry.tenants', 'definer'),
        object: 'trigger touch on registry.tenants',
      },
      {
        title: 'a trigger of the registry that no longer fires',
        plant: asOwner('alter table registry.audit_log disable trigger append_only'),
        object: 'trigger append_only on registry.audit_log',
      },
      {
        title: 'a trigger of the registry that is gone',
        plant: asOwner('drop trigger append_only on registry.audit_log'),
        object: 'trigger append_only on registry.audit_log',
      },
      {
        title: 'a rule on the signing keys',
        plant: asOwner('create rule keep as on delete to tenancy.signing_keys do instead nothing'),
        object: 'rule keep on tenancy.signing_keys',
      },
      {
        title: 'a table that no migration has made',
        plant: asOwner('create table tenancy.guests (tenant_id text)'),
        object: 'tenancy.guests',
      },
      ...Object.entries({
        'a placement that is active unless somebody says otherwise':
          "alter table tenancy.placements alter state set default 'moved'",
        'placements in more states': 'alter table tenancy.placements drop constraint placements_state_check',
        'a column more in the kernel': 'alter table tenancy.placements add note text',
        'an index with an expression': 'create index spy on tenancy.placements (lower(tenant_id))',
        'a constraint that asks a function': 'alter table tenancy.placements add check (length(tenant_id) > 0)',
        'row-level security that hides placements': 'alter table tenancy.placements enable row level security',
        'a policy on placements': 'create policy none on tenancy.placements using (false)',
        'placements that inherit': 'create table public.more () inherits (tenancy.placements)',
      }).map(([title, plant]) => ({ title, plant, object: 'tenancy.placements', isAdvice: true })),
      {
        title: 'a default of the registry that asks a function',
        plant: asOwner('alter table registry.tenants alter name set default session_user'),
        object: 'registry.tenants',
        isAdvice: true,
      },
    ],
    nearMisses: [
      {
        title: 'a table of the registry that no migration of ours has made, with a constraint and an index',
        plant: asOwner(`create table registry.notes (id int primary key, body text check (body <> ''));
          create index on registry.notes (lower(body))`),
      },
      {
        title: 'a trigger with the rights of whoever writes on a plain table',
        plant: touch('crm.leads').replace('create function', 'create table crm.leads (id int); create function'),
      },
      {
        title: 'rows of the kernel, statistics and storage of its tables',
        plant: asOwner(`analyze tenancy.placements; alter table tenancy.placements set (fillfactor = 70);
          comment on table tenancy.placements is 'Ours'`),
      },
      {
        title: 'another comment on a function of the kernel, and one more role that may call it',
        plant: `comment on function tenancy.run is 'Ours'; create role auditor; grant execute on function tenancy.run to auditor`,
      },
      {
        title: 'a function of the registry that keeps the rights of its caller',
        plant: asOwner(
          `create function registry.plans() returns bigint language sql as 'select count(*) from registry.tenants'`,
        ),
      },
      {
        title: 'a function of the same name in another schema',
        plant: `${crm} ${asOwner(`create function crm.current_tenant(home text) returns text language sql as 'select home'`)}`,
      },
    ],
  },
  {
    class: 25,
    holes: [
      {
        title: 'a leakproof function',
        plant: `create function public.peek(value text) returns boolean language sql leakproof as 'select true'`,
        object: 'public.peek(text)',
      },
    ],
    nearMisses: [
      {
        title: 'the same without the promise',
        plant: `create function public.peek(value text) returns boolean language sql as 'select true'`,
      },
    ],
  },
];
