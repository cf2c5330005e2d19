import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { operationsFunction } from '../../../functions/operations/durable-function.ts';
import { homes, type Ports, registry, rows } from '../../../functions/operations/ports.ts';
import { createOperation } from '../../../shared/control/operations.ts';
import { startControlRegistry } from '../control-registry.ts';
import type { Placement } from '../../../shared/tenancy/index.ts';
import type { TestTenantDatabase } from '../tenant-database.ts';
import { addSampleRows } from '../tenant-row-samples.ts';
import { ApiKeyFile } from './api-key-file.ts';
import { type ExportFolder, startExportFolder } from './export-folder.ts';
import { placementIn, planBefore, requestOf, type Scenario, stateBefore } from './scenarios.ts';
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
  run(operationId: string, ports: Ports, attempts?: number): Promise<string | undefined>;
}

const noSilos = (): Promise<never> => Promise.reject(new Error('There are no silos in this world.'));

export async function startOperationWorld(): Promise<OperationWorld> {
  // What was killed leaves transactions, which end by themselves.
  const database = await startControlRegistry([], 'operations', { transactionIdleMs: 5_000 });
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-keys-'));
  const keys = new ApiKeyFile(join(folder, 'api-keys.json'));
  const [exports, cache, secrets] = await Promise.all([startExportFolder(), startTenantCache(), startSecretList()]);
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
    databases: { make: noSilos, drop: noSilos },
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
        await alone(() =>
          addTenant(database, keys, tenantId, state, placementIn(scenario, tenantId, database.postgres.placement)),
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
    run: async (operationId, ports, attempts = 1) => {
      const runner = new LocalDurableTestRunner({ handlerFunction: operationsFunction(ports, attempts) });
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

/** Exports a tenant, for others to be restored from. @returns the operation's id */
async function exportTenant(world: OperationWorld): Promise<string> {
  const { tenantId, ports } = await world.prepare('export');
  const operationId = await world.ask('export', tenantId);
  await world.run(operationId, ports);
  return operationId;
}

async function addTenant(
  { postgres }: TestTenantDatabase,
  keys: ApiKeyFile,
  tenantId: string,
  state: 'active' | 'suspended',
  { model, schema }: Placement,
): Promise<void> {
  const key = await keys.ensure(tenantId, planBefore);
  await postgres.addTenants(tenantId);
  if (model === 'bridge') {
    await postgres.owner.query('select tenancy.provision($1)', [schema]);
    await postgres.owner.query('delete from tenancy.placements where tenant_id = $1', [tenantId]);
    await postgres.owner.query(`select tenancy.set_placement($1, $2, 'active')`, [tenantId, schema]);
  }
  await addSampleRows(postgres, tenantId, schema);
  await postgres.owner.query('select tenancy.set_placement($1, $2, $3)', [tenantId, schema, state]);
  await postgres.superuser.query(
    'update registry.tenants set state = $2, api_key_id = $3, api_key = $4, model = $5, schema = $6 where tenant_id = $1',
    [tenantId, state, key.id, key.value, model, schema],
  );
}
