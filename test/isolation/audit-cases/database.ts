import { asOwner, type AuditCase, crm, elsewhere } from './audit-case.ts';

const flawsOf = (version: number): string => `select f.*, 'error' as severity from tenancy.audit_server(${version}) f`;
const registered = (tenant: string, place = `'main', current_database(), 'pool'`): string =>
  `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
   values ('${tenant}', '${tenant}', 'free', 'pool', ${place});`;
const atHome = (tenant: string, schema = 'pool', state = 'active'): string =>
  `select tenancy.set_placement('${tenant}', '${schema}', '${state}');`;

export const database: readonly AuditCase[] = [
  {
    class: 26,
    holes: [
      { title: '17.0', plant: '', findings: flawsOf(170000), object: 'server version 17.0', isAdvice: true },
      { title: '16.9', plant: '', findings: flawsOf(160009), object: 'server version 16.9', isAdvice: true },
      { title: '13.23', plant: '', findings: flawsOf(130023), object: 'server version 13.23', isAdvice: true },
      {
        title: 'the version that is running, by the audit itself, if that one had a flaw',
        plant: `create or replace function tenancy.server_flaws(version integer)
          returns table (flaw text, problem text, fixed integer) language sql immutable set search_path = pg_catalog, pg_temp
          as $$ select 'planted', 'a flaw of this very version', version + 1
            where version = current_setting('server_version_num')::integer $$`,
        object: 'server version 17.',
        problem: 'planted: a flaw of this very version.',
        also: [20],
        isAdvice: true,
      },
    ],
    nearMisses: [
      { title: '17.6', plant: '', findings: flawsOf(170006) },
      { title: '16.10', plant: '', findings: flawsOf(160010) },
      { title: '18.0', plant: '', findings: flawsOf(180000) },
      { title: 'the version that is running, by the audit itself', plant: '' },
    ],
  },
  {
    class: 28,
    holes: [
      {
        title: 'a publication of a tenant table',
        plant: 'create publication feed for table pool.projects',
        object: 'publication feed',
      },
      ...[
        'true',
        "tenant_id <> ''",
        "tenant_id = 'acme' or archived",
        "(tenant_id = 'acme') is not true",
        "(tenant_id = 'acme') = false",
        "(tenant_id = 'acme' and archived) is not true",
        "(tenant_id = 'acme' and archived) <> true",
      ].map((filter) => ({
        title: `a publication whose filter is ${filter}`,
        plant: `create publication feed for table pool.projects where (${filter}) with (publish = 'insert')`,
        object: 'publication feed',
      })),
      {
        title: 'a publication of all tables',
        plant: 'create publication feed for all tables',
        object: 'publication feed',
      },
      {
        title: 'a publication of the schema',
        plant: 'create publication feed for tables in schema pool',
        object: 'publication feed',
      },
      {
        title: 'a publication of another schema with a tenant table in it',
        plant: `${crm} ${asOwner(`create table crm.leads (tenant_id text, id int, primary key (tenant_id, id));
          select tenancy.protect('crm.leads')`)} create publication feed for tables in schema crm`,
        object: 'publication feed',
      },
      {
        title: 'a publication of a partition in another schema',
        plant: `${elsewhere} create publication feed for table crm.events_1`,
        object: 'publication feed',
      },
      {
        title: 'a publication of the kernel',
        plant: 'create publication feed for tables in schema tenancy',
        object: 'publication feed',
      },
      {
        title: 'a publication of the signing keys',
        plant: 'create publication feed for table tenancy.signing_keys',
        object: 'publication feed',
      },
    ],
    nearMisses: [
      {
        title: 'a publication with a row filter',
        plant: `create publication feed for table pool.projects where (tenant_id = 'acme') with (publish = 'insert')`,
      },
      {
        title: 'a publication with a row filter of more than one part',
        plant: `create publication feed for table pool.projects where (not archived and tenant_id = 'acme')
          with (publish = 'insert')`,
      },
      {
        title: 'a publication with a row filter that asks for null',
        plant: `create publication feed for table pool.projects where (tenant_id = 'acme' and description is not null and length(name) > 1)
          with (publish = 'insert')`,
      },
      {
        title: 'a publication of a schema without tenants',
        plant: `${crm} create table crm.countries (code text primary key); create publication feed for tables in schema crm`,
      },
      {
        title: "a publication of a table that is nobody's",
        plant: `${crm} create table crm.countries (code text primary key); create publication feed for table crm.countries`,
      },
    ],
  },
  {
    class: 33,
    holes: [
      {
        title: 'a tenant that the registry has here and the database does not',
        plant: registered('lost'),
        object: 'tenant lost',
      },
      { title: 'a tenant that the registry does not know', plant: atHome('ghost'), object: 'tenant ghost' },
      {
        title: 'a tenant that the registry has on another cluster',
        plant: `select tenancy.set_cluster('main'); ${registered('acme', `'second', current_database(), 'pool'`)} ${atHome('acme')}`,
        object: 'tenant acme',
      },
      {
        title: 'a tenant with two homes',
        // Only without the index that keeps a tenant from it.
        plant: `drop index tenancy.one_home; select tenancy.seal('tenancy.placements'); ${crm} ${registered('acme')} ${atHome('acme')} ${atHome('acme', 'crm', 'moving')}`,
        object: 'tenant acme',
      },
      {
        title: 'a tenant in another schema than the registry has it in',
        plant: `${crm} ${registered('acme')} ${atHome('acme', 'crm')}`,
        object: 'tenant acme',
      },
      {
        title: 'a tenant at home in a schema that does not exist',
        plant: atHome('ghost', 'nowhere'),
        object: 'tenant ghost',
      },
    ],
    nearMisses: [
      {
        title: 'a tenant that has moved away',
        plant: `select tenancy.set_cluster('main'); ${registered('acme', `'second', 'tenantry', 'pool'`)}
          ${atHome('acme', 'pool', 'moved')}`,
      },
      {
        title: 'a tenant that is suspended here',
        plant: `${registered('acme')} ${atHome('acme', 'pool', 'suspended')}`,
      },
      { title: 'a tenant on its way', plant: `${registered('acme')} ${atHome('acme', 'pool', 'moving')}` },
    ],
  },
];
