import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { operationsFunction, type OperationsOptions } from '../../../functions/operations/durable-function.ts';
import { homes, type Ports, registry, rows } from '../../../functions/operations/ports.ts';
import { dropSilo, makeSilo } from '../../../functions/migrate/silo.ts';
import type { System } from '../../../functions/migrate/system.ts';
import type { PlanName } from '../../../shared/contract/index.ts';
import type { HomeInTurn, TenantDatabases } from '../../../shared/control/index.ts';
import { createOperation } from '../../../shared/control/operations.ts';
import { storedOrNamed, systemOf } from '../silo-runner.ts';
import { startControlRegistry } from '../control-registry.ts';
import type { TestTenantDatabase } from '../tenant-database.ts';
import { addSampleRows } from '../tenant-row-samples.ts';
import { ApiKeyFile } from './api-key-file.ts';
import { type ExportFolder, startExportFolder } from './export-folder.ts';
import { placementIn, planBefore, requestOf, type Scenario, sharingPlan, stateBefore } from './scenarios.ts';
import { type SecretList, startSecretList } from './secret-list.ts';
import { startTenantCache, type TestTenantCache } from './tenant-cache.ts';

/** A tenant, and a gateway that remembers what the authorizer said of it. */
export interface TestSubject {
  readonly tenantId: string;
  readonly ports: Ports;
  readonly isRemembered: () => boolean;
}

/** Everything that operations change: the registry in a real database, keys in a file, a bucket, a cache, secrets. */
export interface OperationWorld extends AsyncDisposable {
  readonly database: TestTenantDatabase;
  readonly keys: ApiKeyFile;
  readonly exports: ExportFolder;
  readonly cache: TestTenantCache;
  readonly secrets: SecretList;
  /** Does `work` while nobody else uses the database's own connections, which take one statement at a time. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** A tenant like those on which such operations are made: none yet, active or suspended. */
  prepare(scenario: Scenario): Promise<TestSubject>;
  /** Asks for an operation, with more input than usual if there is any. @returns its id */
  ask(scenario: Scenario, tenantId: string, more?: object): Promise<string>;
  /** Runs an operation in a fresh runner, which knows nothing of earlier ones. */
  run(
    operationId: string,
    ports: Ports,
    attempts?: number,
    pieces?: OperationsOptions['pieces'],
  ): Promise<string | undefined>;
}

export async function startOperationWorld(): Promise<OperationWorld> {
  // What was killed leaves transactions, which end by themselves.
  const secrets = await startSecretList();
  const options = { transactionIdleMs: 5_000, secret: storedOrNamed(secrets.store) };
  const database = await startControlRegistry([], 'operations', options);
  const databases = databasesWith(
    await systemOf(database.postgres.name, secrets.url, { info: () => undefined, warn: () => undefined }),
  );
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-keys-'));
  const keys = new ApiKeyFile(join(folder, 'api-keys.json'), [sharingPlan]);
  const [exports, cache] = await Promise.all([startExportFolder(), startTenantCache()]);
  await LocalDurableTestRunner.setupTestEnvironment();
  let last: Promise<unknown> = Promise.resolve();
  const alone: OperationWorld['alone'] = (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  const portsWith = (flushAuthorizersCache: () => Promise<void>): Ports => ({
    registry,
    homes,
    databases,
    apiKeys: keys,
    gateway: { flushAuthorizersCache },
    rows,
    exports: exports.store,
    cache: cache.cache,
    secrets: secrets.secrets,
  });
  let exported: Promise<string> | undefined;
  const world: OperationWorld = {
    database,
    keys,
    exports,
    cache,
    secrets,
    alone,
    prepare: async (scenario) => {
      const tenantId = `t${randomBytes(6).toString('hex')}`;
      const state = stateBefore(scenario);
      if (state !== undefined) {
        const placement = placementIn(scenario, tenantId, database.postgres.placement);
        await alone(() =>
          addTenant(world, databases, { tenantId, placement, ...noTurn }, { state, plan: planBefore(scenario) }),
        );
        await cache.fill(tenantId);
      }
      let isRemembered = true;
      const ports = portsWith(async () => {
        isRemembered = false;
      });
      return { tenantId, ports, isRemembered: () => isRemembered };
    },
    ask: async (scenario, tenantId, more) => {
      const from = scenario === 'restore' ? await (exported ??= exportTenant(world)) : undefined;
      const request = requestOf(scenario, tenantId, database.postgres.placement, from);
      return (await createOperation({ ...request, input: { ...request.input, ...more } })).id;
    },
    run: async (operationId, ports, attempts = 1, pieces) => {
      const runner = new LocalDurableTestRunner({
        handlerFunction: operationsFunction(ports, { attempts, ...(pieces && { pieces }) }),
      });
      return (await runner.run({ payload: { operationId } })).getStatus();
    },
    [Symbol.asyncDispose]: async () => {
      await LocalDurableTestRunner.teardownTestEnvironment();
      for (const disposable of [database, exports, cache, secrets]) await disposable[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
  return world;
}

/** Whoever changes a home before any operation does. */
export const noTurn = { operationId: '', turn: 0 };

/** Each page and each file is a piece. */
export const smallestPieces = { longestMs: 0, leastRemainingMs: 0, pauseSeconds: 0 };

/** Exports a tenant, for others to be restored from. @returns the operation's id */
async function exportTenant(world: OperationWorld): Promise<string> {
  const { tenantId, ports } = await world.prepare('export');
  const operationId = await world.ask('export', tenantId);
  await world.run(operationId, ports);
  return operationId;
}

/** Databases of tenants' own, made by the migration runner's own code. */
function databasesWith(system: System): TenantDatabases {
  const nameOf = ({ tenantId, placement, operationId, turn }: HomeInTurn) => ({
    tenantId,
    cluster: placement.cluster,
    // Who prepares a test is no operation.
    turn: turn === 0 ? undefined : { operationId, turn },
  });
  return { make: (home) => makeSilo(nameOf(home), system), drop: (home) => dropSilo(nameOf(home), system) };
}

async function addTenant(
  { database: { postgres }, keys }: OperationWorld,
  databases: TenantDatabases,
  home: HomeInTurn,
  { state, plan }: { readonly state: 'active' | 'suspended'; readonly plan: PlanName },
): Promise<void> {
  const { tenantId, placement } = home;
  const { model, schema } = placement;
  const key = await keys.ensure(tenantId, plan);
  const secretArn = model === 'silo' ? await databases.make(home) : null;
  if (model !== 'pool') await homes.make(home);
  await homes.place(home, 'active');
  if (model !== 'silo') await addSampleRows(postgres, tenantId, schema);
  await homes.place(home, state);
  await postgres.superuser.query(
    `insert into registry.tenants (tenant_id, name, plan, state, api_key_id, api_key, model, cluster, database, schema, secret_arn)
     values ($1, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [tenantId, plan, state, key.id, key.value, model, placement.cluster, placement.database, schema, secretArn],
  );
}
