import { asOwner, type AuditCase, crm, elsewhere } from './audit-case.ts';

/** A privilege on the table in which Postgres puts values of `pool.projects` that are too long for a page. */
const onStorage = (privilege: string, role: string): string =>
  `do $$ begin execute format('grant ${privilege} on %s to ${role}',
    (select reltoastrelid::regclass from pg_class where oid = 'pool.projects'::regclass)); end $$`;

export const grants: readonly AuditCase[] = [
  {
    class: 23,
    holes: [
      { title: 'TRUNCATE', plant: 'grant truncate on pool.projects to tenantry_app', object: 'pool.projects' },
      {
        title: 'TRUNCATE for a second login of the application',
        plant: 'create role svc in role tenantry_app; grant truncate on pool.projects to svc',
        object: 'pool.projects',
      },
      {
        title: 'TRUNCATE of a partition in another schema, for everybody',
        plant: `${elsewhere} grant truncate on crm.events_1 to public`,
        object: 'crm.events_1',
        also: [10],
      },
      {
        title: 'REFERENCES and TRIGGER for everybody',
        plant: 'grant references, trigger on pool.tasks to public',
        object: 'pool.tasks',
      },
      {
        title: 'REFERENCES on one column',
        plant: 'grant references (id) on pool.projects to tenantry_app',
        object: 'pool.projects',
      },
      {
        title: 'MAINTAIN by way of a group',
        plant: 'create role writers; grant writers to tenantry_app; grant maintain on pool.projects to writers',
        object: 'pool.projects',
      },
    ],
    nearMisses: [
      {
        title: 'TRUNCATE for a role of nobody',
        plant: 'create role importer; grant truncate on pool.projects to importer',
      },
      { title: 'reading and writing for everybody', plant: 'grant select, insert on pool.projects to public' },
    ],
  },
  {
    class: 27,
    holes: [
      {
        title: 'a sequence that the application role may use',
        plant: asOwner('create sequence pool.counter; grant usage on sequence pool.counter to tenantry_app'),
        object: 'pool.counter',
      },
      {
        title: 'a sequence that everybody may read',
        plant: asOwner('create sequence pool.counter; grant select on sequence pool.counter to public'),
        object: 'pool.counter',
      },
      {
        title: 'a sequence elsewhere that numbers rows of a tenant table',
        plant: `${crm} ${asOwner(`create sequence crm.counter; grant usage on sequence crm.counter to tenantry_app;
          alter table pool.projects add number bigint default nextval('crm.counter');
          select tenancy.hide_values('pool.projects')`)}`,
        object: 'crm.counter',
      },
    ],
    nearMisses: [
      {
        title: 'an identity column, whose sequence needs no grant',
        plant: `alter table pool.projects add number bigint generated always as identity;
          select tenancy.hide_values('pool.projects')`,
      },
      {
        title: 'a sequence elsewhere that numbers nothing of tenants',
        plant: `${crm} ${asOwner('create sequence crm.counter; grant usage on sequence crm.counter to tenantry_app')}`,
      },
    ],
  },
  {
    class: 31,
    holes: [
      {
        title: 'files of the server',
        plant: 'grant execute on function pg_read_file(text) to tenantry_app',
        object: 'pg_read_file(text)',
      },
      {
        title: 'the signing keys',
        plant: 'grant select on tenancy.signing_keys to tenantry_app',
        object: 'tenancy.signing_keys',
      },
      {
        title: 'the signing keys for a second login of the application',
        plant: 'create role svc in role tenantry_app; grant select on tenancy.signing_keys to svc',
        object: 'tenancy.signing_keys',
      },
      {
        title: 'a login with the rights of two application roles',
        plant: 'create role svc in role tenantry_app, tenantry_control',
        object: 'role svc',
      },
      ...['tenantry_app', 'public'].map((role) => ({
        title: `a sealed function that acts with its owner's rights, for ${role}`,
        plant: `grant execute on function tenancy.displace to ${role}`,
        object: 'tenancy.displace(text)',
      })),
      {
        title: 'passwords by a view of a superuser',
        plant: `${crm} create view crm.logins as select * from pg_authid; grant select on crm.logins to tenantry_app`,
        object: 'crm.logins',
      },
      {
        title: 'large objects of all, read as a table',
        plant: 'grant select on pg_largeobject to tenantry_app',
        object: 'pg_largeobject',
      },
      {
        title: 'who is at home where',
        plant: 'grant update (state) on tenancy.placements to public',
        object: 'tenancy.placements',
      },
      {
        title: 'what erases rows of any tenant, for the control plane',
        plant: 'grant execute on function tenancy.erase_rows(text, text, integer) to tenantry_control',
        object: 'tenancy.erase_rows(text,text,integer)',
      },
      {
        title: 'what reads rows of any tenant, for everybody',
        plant: 'grant execute on function tenancy.read_rows(text, text, text, json, integer) to public',
        object: 'tenancy.read_rows(text,text,text,json,integer)',
      },
      {
        title: 'where Postgres keeps long values of all tenants',
        plant: onStorage('select', 'tenantry_app'),
        object: 'pg_toast.pg_toast_',
        problem: 'long values of pool.projects',
      },
      {
        title: 'a column of where it keeps them, for everybody',
        plant: `grant usage on schema pg_toast to public; ${onStorage('select (chunk_data)', 'public')}`,
        object: 'pg_toast.pg_toast_',
      },
      { title: 'other databases', plant: 'create extension dblink', object: 'extension dblink' },
      { title: 'functions that run SQL from text', plant: 'create extension tablefunc', object: 'extension tablefunc' },
      { title: 'XPath over the result of SQL from text', plant: 'create extension xml2', object: 'extension xml2' },
      {
        title: 'statements of all tenants',
        plant: 'create extension pg_stat_statements',
        object: 'extension pg_stat_statements',
      },
      {
        title: 'a foreign server',
        plant: `create extension postgres_fdw; create server other foreign data wrapper postgres_fdw;
          grant usage on foreign server other to tenantry_app`,
        object: 'server other',
      },
      {
        title: 'programs of the server',
        plant: 'grant pg_execute_server_program to tenantry_app',
        object: 'role tenantry_app',
      },
      ...[
        'pg_read_all_data',
        'pg_write_all_data',
        'pg_maintain',
        'pg_read_all_stats',
        'pg_signal_backend',
        'pg_monitor',
      ].map((role) => ({
        title: `membership in ${role}, whose powers stand in no privilege`,
        plant: `grant ${role} to tenantry_app`,
        object: 'role tenantry_app',
      })),
      {
        title: 'membership in pg_create_subscription by way of a group',
        plant:
          'create role feeds; grant feeds to tenantry_app; grant pg_create_subscription to feeds with inherit false',
        object: 'role feeds',
      },
      {
        title: 'an application role that is a member of another',
        plant: 'grant tenantry_control to tenantry_app',
        object: 'role tenantry_app',
      },
      {
        title: 'the registry for the application',
        plant: 'grant select, update on registry.tenants to tenantry_app',
        object: 'registry.tenants',
      },
      {
        title: 'writing the registry for the authorizer, and TRUNCATE for the control plane',
        plant: `grant update (state) on registry.tenants to tenantry_authorizer;
          grant truncate on registry.tenants to tenantry_control`,
        object: 'registry.tenants',
      },
      ...['role tenantry_app', 'role all', 'role tenantry_app in database %1$I', 'database %1$I'].map((whose) => ({
        title: `unchecked keys of ${whose}`,
        plant: `do $$ begin execute format('alter ${whose} set session_replication_role = replica', current_database()); end $$`,
        object: 'parameter session_replication_role',
      })),
      {
        title: 'large objects that a setting opens',
        plant: 'alter role tenantry_app set lo_compat_privileges = on',
        object: 'parameter lo_compat_privileges',
      },
      {
        title: 'switching off what checks foreign keys',
        plant: 'grant set on parameter session_replication_role to tenantry_app',
        object: 'parameter session_replication_role',
      },
      {
        title: 'large objects',
        plant: 'set local role tenantry_app; select lo_create(0); reset role',
        object: 'large objects of tenantry_app',
      },
    ],
    nearMisses: [
      {
        title: 'a column of where it keeps long values, in a schema that nobody may use',
        plant: onStorage('select (chunk_data)', 'public'),
      },
      {
        title: 'a sealed function for a role of nobody, and once more for those who have it',
        plant: `create role auditor; grant execute on function tenancy.displace to auditor, tenantry_operations`,
      },
      { title: 'a large object of somebody else', plant: 'select lo_create(0)' },
      { title: 'a role that decides how to log in', plant: 'create role rds_iam; grant rds_iam to tenantry_app' },
      { title: 'a predefined role for a role of nobody', plant: 'create role auditor; grant pg_monitor to auditor' },
      {
        title: 'the registry for a role of nobody',
        plant: 'create role auditor; grant select on registry.tenants to auditor',
      },
      {
        title: 'extensions that stay within rows',
        plant: 'create extension pg_trgm; create extension citext; create extension refint',
      },
      {
        title: 'functions that run SQL from text, taken from everybody',
        plant: `create extension dblink;
          do $$ begin execute (select string_agg(format('revoke all on function %s from public', d.objid::regprocedure), '; ')
            from pg_depend d where d.refclassid = 'pg_extension'::regclass and d.classid = 'pg_proc'::regclass
              and d.refobjid = (select oid from pg_extension where extname = 'dblink')); end $$`,
      },
      {
        title: 'settings that switch nothing off, and one of a role of nobody',
        plant: `create role importer; alter role importer set session_replication_role = replica;
          alter role tenantry_app set session_replication_role = origin; alter role tenantry_app set statement_timeout = '5s'`,
      },
      {
        title: 'a parameter for a role of nobody',
        plant: 'create role auditor; grant set on parameter log_statement to auditor',
      },
      {
        title: 'a foreign server that nobody may use',
        plant: 'create extension postgres_fdw; create server other foreign data wrapper postgres_fdw',
      },
      {
        title: 'where Postgres keeps long values, for a role of nobody',
        plant: `create role auditor; ${onStorage('select', 'auditor')}`,
      },
      {
        title: 'files for a role of nobody',
        plant: 'create role importer; grant execute on function pg_read_file(text) to importer',
      },
    ],
  },
  {
    class: 32,
    holes: [
      {
        title: 'the statistics of every column',
        plant: 'grant select on pg_statistic to tenantry_app',
        object: 'pg_statistic',
      },
      {
        title: 'extended statistics that the application role owns',
        plant: `create statistics pool.mix on status, assignee from pool.tasks;
          alter statistics pool.mix owner to tenantry_app`,
        object: 'statistics pool.mix',
        also: [34],
      },
      {
        title: 'statistics by a view of a superuser, and one above it',
        plant: `${crm} create view crm.numbers as select starelid, stavalues1::text from pg_statistic;
          create view crm.shown with (security_invoker) as select * from crm.numbers;
          grant select on crm.numbers, crm.shown to tenantry_app`,
        object: 'crm.shown',
      },
      {
        title: 'statistics that a materialized view keeps',
        plant: `${crm} create materialized view crm.numbers as select tablename::text, most_common_vals::text from pg_stats with no data;
          grant select on crm.numbers to tenantry_app`,
        object: 'crm.numbers',
      },
    ],
    nearMisses: [
      {
        title: 'a view of the statistics that each reader sees anyway',
        plant: `${crm} create view crm.numbers as select attname, n_distinct from pg_stats; grant select on crm.numbers to tenantry_app`,
      },
      {
        title: 'a view of a superuser that nobody may read',
        plant: `${crm} create view crm.numbers as select starelid, stavalues1::text from pg_statistic`,
      },
    ],
  },
];
