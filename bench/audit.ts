import type { Client } from 'pg';
import { databaseRoles, mainCluster } from '../shared/contract/index.ts';
import { atMost, type Bench, median, takeTurns } from './bench.ts';
import { type BenchPostgres, benchPostgres } from './postgres.ts';

const schemas = 1_000;
const tablesEach = 20;

/** Of the schemas, so many are audited one by one; all would take minutes. */
const sampled = 10;

/**
 * What the audit of a large bridge costs, which every deployment ends with: all 37 classes over 20,000 tables at once, against the same
 * checks a schema at a time, as a loop over placements would ask them. No index leads from a schema to its tables, so each turn of
 * such a loop reads the catalog anew.
 */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  const { superuser } = postgres;
  progress(`making ${schemas * tablesEach} tables in ${schemas} schemas, which takes a minute or two`);
  await makeFleet(superuser);
  progress('measuring');
  await superuser.query(`set role ${databaseRoles.owner}`);
  await superuser.query('set jit = off');
  const { rows } = await superuser.query('select * from tenancy.audit()');
  if (rows.length > 0) throw new Error(`The audit found ${JSON.stringify(rows[0])}.`);
  const cold = await firstCall(postgres);
  let schema = 0;
  const times = await takeTurns(
    {
      audit: () => superuser.query('select * from tenancy.audit()'),
      oneSchema: () => superuser.query(auditOfSchema, [`s${(schema += 1)}`]),
      printed: () => superuser.query(`select count(*) from pg_policies where qual || with_check like '%true%'`),
    },
    { rounds: sampled, callsPerRound: 1 },
  );
  const loop = times.oneSchema * schemas;
  return {
    rows: [
      { case: `tenancy.audit(), ${schemas} schemas of ${tablesEach} tables`, value: times.audit, unit: 'ms' },
      { case: 'its first call in a session, which plans it and reads the catalog', value: cold, unit: 'ms' },
      { case: `a schema at a time (${sampled} schemas measured, times ${schemas / sampled})`, value: loop, unit: 'ms' },
      { case: 'for comparison: every policy printed by pg_policies', value: times.printed, unit: 'ms' },
    ],
    ratios: [
      atMost('ms of tenancy.audit()', times.audit, 1_000),
      atMost('tenancy.audit() / a schema at a time', times.audit / loop, 0.1),
    ],
  };
};

/** What a deployment meets, which asks once. @returns median milliseconds */
async function firstCall(postgres: BenchPostgres): Promise<number> {
  const times: number[] = [];
  for (let turn = 0; turn < 3; turn += 1) {
    const session = await postgres.freshSuperuser();
    await session.query(`set role ${databaseRoles.owner}`);
    const start = performance.now();
    await session.query('select * from tenancy.audit()');
    times.push(performance.now() - start);
    await session.end();
  }
  return median(times);
}

/** The checks of tenancy.audit() that look at tables, for the tables of one schema. */
const auditOfSchema = `
  select f.* from (select array_agg(t) as tables from tenancy.tenant_tables t where t.schema = $1) t, lateral (
    ${['tables', 'policies', 'keys', 'powers', 'relation_grants', 'views', 'functions', 'publications']
      .map((checks) => `select * from tenancy.audit_${checks}(t.tables)`)
      .join(' union all ')}
  ) f`;

/** Schemas of tenants, each with parents and children as projects and tasks are, each tenant at home and registered. */
async function makeFleet(superuser: Client): Promise<void> {
  await superuser.query(`set role ${databaseRoles.owner}`);
  for (let first = 1; first <= schemas; first += 10) await superuser.query(makeSchemas(first, first + 9));
  await superuser.query(
    `insert into tenancy.placements (tenant_id, schema) select 'tenant-' || n, 's' || n from generate_series(1, $1) n`,
    [schemas],
  );
  await superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
     select tenant_id, tenant_id, 'pro', 'bridge', $1, current_database(), schema from tenancy.placements`,
    [mainCluster],
  );
  await superuser.query('reset role');
  await superuser.query('vacuum analyze');
}

/** A few schemas a transaction, since each of their objects takes a lock. */
const makeSchemas = (first: number, last: number): string => `do $do$ begin
  for n in ${first} .. ${last} loop
    execute format('create schema s%s', n);
    execute format('grant usage on schema s%s to ${databaseRoles.app}', n);
    perform set_config('search_path', format('s%s, pg_temp', n), true);
    for t in 1 .. ${tablesEach / 2} loop
      execute format('create table parents_%s (tenant_id text not null, id uuid not null, name text not null
        check (name <> ''''), created_at timestamptz not null default now(), primary key (tenant_id, id), unique (tenant_id, name))', t);
      execute format('create index on parents_%s (tenant_id, created_at, id)', t);
      perform tenancy.protect(format('parents_%s', t)::regclass);
      execute format('create table children_%s (tenant_id text not null, id uuid not null, parent_id uuid not null,
        primary key (tenant_id, id), foreign key (tenant_id, parent_id) references parents_%s (tenant_id, id) on delete cascade)', t, t);
      execute format('create index on children_%s (tenant_id, parent_id, id)', t);
      perform tenancy.protect(format('children_%s', t)::regclass);
    end loop;
  end loop;
end $do$`;
