import { asOwner, type AuditCase, crm } from './audit-case.ts';

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
    ],
    nearMisses: [
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
