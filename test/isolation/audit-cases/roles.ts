import { asOwner, type AuditCase, crm } from './audit-case.ts';

export const roles: readonly AuditCase[] = [
  {
    class: 4,
    holes: [
      {
        title: 'an application role with BYPASSRLS',
        plant: 'alter role tenantry_app bypassrls',
        object: 'role tenantry_app',
      },
      {
        title: 'an application role that is a superuser',
        plant: 'alter role tenantry_authorizer superuser',
        object: 'role tenantry_authorizer',
      },
      {
        title: 'an application role that may replicate',
        plant: 'alter role tenantry_control replication',
        object: 'role tenantry_control',
      },
      {
        title: 'an owner with BYPASSRLS',
        plant: 'alter role tenantry_owner bypassrls',
        object: 'role tenantry_owner',
      },
      {
        title: 'a table of a superuser',
        plant: 'alter table pool.projects owner to postgres',
        object: 'pool.projects',
      },
      {
        title: 'an application role that is a member of the owner',
        plant: 'grant tenantry_owner to tenantry_app with inherit false',
        object: 'role tenantry_app',
      },
      {
        title: 'an application role that becomes a superuser in two steps',
        plant: 'create role admin superuser; create role middle; grant admin to middle; grant middle to tenantry_app',
        object: 'role tenantry_app',
      },
      {
        title: 'an application role that may make roles and databases',
        plant: 'alter role tenantry_app createrole createdb',
        object: 'role tenantry_app',
      },
      {
        title: 'an application role that becomes one that may make roles',
        plant: 'create role admin createrole; grant admin to tenantry_app',
        object: 'role tenantry_app',
      },
      {
        title: 'a second login of the application that is a member of the owner',
        plant: 'create role svc login in role tenantry_app; grant tenantry_owner to svc with admin false',
        object: 'role svc',
      },
      {
        title: 'a login that is a member of the application role by way of a group, and may replicate',
        plant: 'create role functions in role tenantry_app; create role svc login replication in role functions',
        object: 'role svc',
      },
      {
        title: 'an owner that becomes a superuser',
        plant: 'create role admin superuser; grant admin to tenantry_owner with inherit false',
        object: 'role tenantry_owner',
      },
      {
        title: 'a role for reports with BYPASSRLS that may read a table of tenants',
        plant: 'create role reporting login bypassrls; grant select on pool.projects to reporting',
        object: 'role reporting',
      },
    ],
    nearMisses: [
      { title: 'a role with BYPASSRLS that may read no table', plant: 'create role backup login bypassrls' },
      { title: 'a membership in a role without power', plant: 'create role readers; grant readers to tenantry_app' },
      {
        title: 'an owner that is a member of a plain role',
        plant: 'create role readers createrole; grant readers to tenantry_owner',
      },
      { title: 'a superuser who is a member of an application role', plant: 'grant tenantry_app to postgres' },
      { title: 'a second login of the application', plant: 'create role svc login in role tenantry_app' },
    ],
  },
  {
    class: 22,
    holes: [
      {
        title: 'CREATE on the schema of tenants',
        plant: 'grant create on schema pool to tenantry_app',
        object: 'schema pool',
      },
      {
        title: 'CREATE on public for everybody',
        plant: 'grant create on schema public to public',
        object: 'schema public',
      },
      {
        title: "CREATE where Postgres's own are, which come before all others",
        plant: 'grant create on schema pg_catalog to tenantry_app',
        object: 'schema pg_catalog',
      },
      {
        title: 'CREATE on the database',
        plant: `do $$ begin execute format('grant create on database %I to tenantry_app', current_database()); end $$`,
        object: 'database test_',
      },
      {
        title: 'a database of the application role',
        plant: `do $$ begin execute format('alter database %I owner to tenantry_app', current_database()); end $$`,
        object: 'database test_',
      },
      {
        title: 'a schema of the application role',
        plant: 'alter schema pool owner to tenantry_app',
        object: 'schema pool',
      },
      {
        title: 'CREATE on the schema to which a function of the owner is pinned',
        plant: `${crm} ${asOwner(`create function crm.today() returns date language sql security definer
          set search_path = crm, pg_temp as 'select current_date';
          grant execute on function crm.today to tenantry_app; grant create on schema crm to tenantry_app`)}`,
        object: 'schema crm',
      },
    ],
    nearMisses: [
      {
        title: 'CREATE on a schema that nothing looks into',
        plant: `${crm} grant create on schema crm to tenantry_app`,
      },
      { title: 'CREATE for a role of nobody', plant: 'create role importer; grant create on schema pool to importer' },
    ],
  },
  {
    class: 24,
    holes: [
      {
        title: 'tables to come that the application role may read',
        plant: 'alter default privileges for role tenantry_owner in schema pool grant select on tables to tenantry_app',
        object: 'default privileges of tenantry_owner in schema pool',
      },
      {
        title: 'sequences to come that everybody may read, anywhere',
        plant: 'alter default privileges for role tenantry_owner grant select on sequences to public',
        object: 'default privileges of tenantry_owner',
      },
    ],
    nearMisses: [
      {
        title: 'default privileges of a role of nobody',
        plant: `create role auditor;
          alter default privileges for role tenantry_owner in schema pool grant select on tables to auditor`,
      },
      {
        title: 'default privileges on types',
        plant: 'alter default privileges for role tenantry_owner in schema pool grant usage on types to tenantry_app',
      },
    ],
  },
];
