import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
} from '@aws-sdk/client-rds-data';
import type { DataApi } from '../local/data-api/server.ts';
import { databaseRoles, mainDatabase } from '../shared/contract/index.ts';
import { migrateFleet } from '../shared/database/fleet.ts';
import { migrationConnection } from '../shared/database/migration-connection.ts';
import { applyMigrations, type Execute, type Migration, readAllMigrations } from '../shared/database/migrator.ts';
import { provisionSchema, publishMigrations } from '../shared/database/provision.ts';
import { atMost, type Bench, median } from './bench.ts';
import { benchDataApi, resourceArn, secretArn } from './data-api.ts';
import { benchPostgres } from './postgres.ts';

const schemas = 1_000;
const fewSchemas = 100;
const tablesEach = 20;
const latencyMs = 10;

const schemaOf = (index: number): string => `s${String(index).padStart(4, '0')}`;
const file = (version: string, sql: string): Migration => ({ version, checksum: version, sql, mode: 'transaction' });

/** Parents and children, as projects and tasks are: a file for two tables. */
const tables = Array.from({ length: tablesEach / 2 }, (_, index) =>
  file(
    String(index + 1).padStart(3, '0'),
    `create table parents_${index} (tenant_id text not null, id uuid not null, name text not null, primary key (tenant_id, id));
     create index on parents_${index} (tenant_id, name);
     select tenancy.protect('parents_${index}');
     create table children_${index} (tenant_id text not null, id uuid not null, parent_id uuid not null, primary key (tenant_id, id),
       foreign key (tenant_id, parent_id) references parents_${index} (tenant_id, id));
     select tenancy.protect('children_${index}')`,
  ),
);
const addColumn = (number: number): Migration =>
  file(`10${number}`, `alter table parents_0 add column note_${number} text`);

/** A thousand schemas of twenty tables, migrated over the Data API with a delay that a real one has, against the guide's way. */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  await using dataApi = await benchDataApi(postgres);
  const { superuser } = postgres;
  const login = { resourceArn, secretArn: secretArn(databaseRoles.owner), database: mainDatabase };
  const execute = migrationConnection(login);
  // The tables of the product are not those of this fleet.
  await superuser.query(`update tenancy.migration_targets set dropping = true where target = 'pool'`);
  await publishMigrations(execute, tables);

  progress(`provisioning ${schemas} schemas of ${tablesEach} tables, which takes minutes`);
  const provisioned = await provision(execute, dataApi, progress);
  await superuser.query('vacuum analyze');
  dataApi.setLatency(latencyMs);

  progress('nothing to do');
  const migrations = await readAllMigrations('migrations');
  const idle = await count(dataApi, async () => {
    await applyMigrations(execute, 'kernel', migrations.kernel);
    await applyMigrations(execute, 'control', migrations.control);
    await migrateFleet([{ name: 'main', execute }], tables);
  });

  progress('a column in each schema, as a fleet');
  const fleet = await count(dataApi, () => migrateFleet([{ name: 'main', execute }], [...tables, addColumn(1)]));
  progress(`a column in each schema, one after the other`);
  await superuser.query(`set role ${databaseRoles.owner}`);
  for (let n = 1; n <= schemas; n += 1)
    await superuser.query(`create table ${schemaOf(n)}.schema_version (version text)`);
  await superuser.query('reset role');
  const guide = await count(dataApi, () => migrateAsTheGuide(login));

  progress('memory of the runner');
  dataApi.setLatency(0);
  await superuser.query('update tenancy.migration_targets set dropping = true where target > $1', [
    schemaOf(fewSchemas),
  ]);
  const few = await runnerMemory([...tables, addColumn(1), addColumn(2)], fewSchemas);
  await superuser.query('update tenancy.migration_targets set dropping = false where target > $1', [
    schemaOf(fewSchemas),
  ]);
  const many = await runnerMemory([...tables, addColumn(1), addColumn(2), addColumn(3)], schemas);
  return {
    rows: [
      { case: 'provisioning a schema: calls of the Data API', value: provisioned.calls, unit: 'calls' },
      { case: 'provisioning a schema', value: provisioned.ms, unit: 'ms' },
      { case: `nothing to do, ${schemas} schemas of ${tablesEach} tables`, value: idle.seconds, unit: 's' },
      { case: 'nothing to do: calls, kernel and registry included', value: idle.calls, unit: 'calls' },
      { case: 'a column in each schema', value: fleet.seconds, unit: 's' },
      { case: 'a column in each schema: calls', value: fleet.calls, unit: 'calls' },
      { case: "the guide's way: a transaction a schema, in sequence", value: guide.seconds, unit: 's' },
      { case: "the guide's way: calls", value: guide.calls, unit: 'calls' },
      { case: `memory of the runner, ${fewSchemas} schemas`, value: few / 1024 ** 2, unit: 'MiB' },
      { case: `memory of the runner, ${schemas} schemas`, value: many / 1024 ** 2, unit: 'MiB' },
    ],
    ratios: [
      atMost('calls to provision a schema', provisioned.calls, 3),
      atMost('seconds with nothing to do', idle.seconds, 2),
      atMost(`time as a fleet / the guide's way, ${latencyMs} ms a call`, fleet.seconds / guide.seconds, 0.2),
      atMost("calls as a fleet / the guide's way", fleet.calls / guide.calls, 0.2),
      atMost(`memory with ${schemas} schemas / with ${fewSchemas}`, many / few, 1.2),
    ],
  };
};

const callsOf = (dataApi: DataApi): number => Object.values(dataApi.calls).reduce((sum, calls) => sum + calls, 0);

async function count(dataApi: DataApi, work: () => Promise<unknown>): Promise<{ seconds: number; calls: number }> {
  const [calls, started] = [callsOf(dataApi), performance.now()];
  await work();
  return { seconds: (performance.now() - started) / 1000, calls: callsOf(dataApi) - calls };
}

async function provision(
  execute: Execute,
  dataApi: DataApi,
  progress: (message: string) => void,
): Promise<{ calls: number; ms: number }> {
  const before = callsOf(dataApi);
  const times: number[] = [];
  for (let index = 1; index <= schemas; index += 1) {
    const started = performance.now();
    await provisionSchema(execute, schemaOf(index));
    times.push(performance.now() - started);
    if (index % 100 === 0) progress(`${index} of ${schemas}`);
  }
  return { calls: (callsOf(dataApi) - before) / schemas, ms: median(times) };
}

/** Schema after schema: a transaction, the schema's version table, the statement, the version. */
async function migrateAsTheGuide(login: { resourceArn: string; secretArn: string; database: string }): Promise<void> {
  const client = new RDSDataClient({ maxAttempts: 1 });
  for (let index = 1; index <= schemas; index += 1) {
    const { transactionId } = await client.send(new BeginTransactionCommand(login));
    const run = (sql: string) => client.send(new ExecuteStatementCommand({ ...login, transactionId, sql }));
    await run(`set local search_path = ${schemaOf(index)}`);
    const { records = [] } = await run('select version from schema_version');
    if (records.length === 0) {
      await run('alter table parents_0 add column guide text');
      await run(`insert into schema_version values ('101')`);
    }
    await client.send(new CommitTransactionCommand({ ...login, transactionId }));
  }
}

/** @returns bytes that a runner of its own process takes at most while it adds a column everywhere */
async function runnerMemory(files: readonly Migration[], placements: number): Promise<number> {
  const child = new URL('children/fleet.ts', import.meta.url).pathname;
  const { stdout } = await promisify(execFile)(process.execPath, [child, JSON.stringify(files)]);
  const { done, maxRssBytes } = JSON.parse(stdout) as { done: number; maxRssBytes: number };
  if (done !== placements) throw new Error(`The runner migrated ${done} of ${placements} placements.`);
  return maxRssBytes;
}
