import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { operationsFunction } from '../../../functions/operations/durable-function.ts';
import { placements, type Ports, registry } from '../../../functions/operations/ports.ts';
import type { PlanName } from '../../../shared/contract/index.ts';
import { createOperation, type OperationRequest } from '../../../shared/control/operations.ts';
import type { KnownKind } from '../../../shared/control/operations-schema.ts';
import { startControlRegistry } from '../control-registry.ts';
import type { TestTenantDatabase } from '../tenant-database.ts';
import { ApiKeyFile } from './api-key-file.ts';

/** A tenant, and a gateway that remembers what the authorizer said of it. */
export interface TestSubject {
  readonly tenantId: string;
  readonly ports: Ports;
  readonly isRemembered: () => boolean;
}

/** Everything that operations change: the registry in a real database, and keys in a file. */
export interface OperationWorld extends AsyncDisposable {
  readonly database: TestTenantDatabase;
  readonly keys: ApiKeyFile;
  /** Does `work` while nobody else uses the database's own connections, which take one statement at a time. */
  readonly alone: <T>(work: () => Promise<T>) => Promise<T>;
  /** A tenant like those on which operations of this kind are made: none yet, active or suspended. */
  prepare(kind: KnownKind): Promise<TestSubject>;
  /** Asks for an operation. @returns its id */
  ask(kind: KnownKind, tenantId: string): Promise<string>;
  /** Runs an operation in a fresh runner, which knows nothing of earlier ones. */
  run(operationId: string, ports: Ports, attempts?: number): Promise<string | undefined>;
}

export async function startOperationWorld(): Promise<OperationWorld> {
  const database = await startControlRegistry();
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-keys-'));
  const keys = new ApiKeyFile(join(folder, 'api-keys.json'));
  await LocalDurableTestRunner.setupTestEnvironment();
  let last: Promise<unknown> = Promise.resolve();
  const alone: OperationWorld['alone'] = (work) => {
    const mine = last.then(work);
    last = mine.catch(() => undefined);
    return mine;
  };
  return {
    database,
    keys,
    alone,
    prepare: async (kind) => {
      const tenantId = `t${randomBytes(6).toString('hex')}`;
      const state = kind === 'activate' ? 'suspended' : 'active';
      if (kind !== 'onboard') await alone(() => addTenant(database, keys, tenantId, state));
      let isRemembered = true;
      const flushAuthorizersCache = async (): Promise<void> => {
        isRemembered = false;
      };
      const ports: Ports = { registry, placements, apiKeys: keys, gateway: { flushAuthorizersCache } };
      return { tenantId, ports, isRemembered: () => isRemembered };
    },
    ask: async (kind, tenantId) => (await createOperation(requestOf(kind, tenantId, database))).id,
    run: async (operationId, ports, attempts = 1) => {
      const runner = new LocalDurableTestRunner({ handlerFunction: operationsFunction(ports, attempts) });
      return (await runner.run({ payload: { operationId } })).getStatus();
    },
    [Symbol.asyncDispose]: async () => {
      await LocalDurableTestRunner.teardownTestEnvironment();
      await database[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const planBefore: PlanName = 'free';
const planAfter: PlanName = 'pro';

function requestOf(kind: KnownKind, tenantId: string, { postgres }: TestTenantDatabase): OperationRequest {
  const inputs = {
    onboard: { name: 'New', plan: planAfter, placement: postgres.placement },
    activate: {},
    suspend: {},
    'change-plan': { plan: planAfter },
  };
  return { kind, tenantId, input: inputs[kind], actor: 'olga' };
}

async function addTenant(
  { postgres }: TestTenantDatabase,
  keys: ApiKeyFile,
  tenantId: string,
  state: 'active' | 'suspended',
): Promise<void> {
  const key = await keys.ensure(tenantId, planBefore);
  await postgres.addTenants(tenantId);
  await postgres.owner.query('select tenancy.set_placement($1, $2, $3)', [tenantId, postgres.placement.schema, state]);
  await postgres.superuser.query(
    'update registry.tenants set state = $2, api_key_id = $3, api_key = $4 where tenant_id = $1',
    [tenantId, state, key.id, key.value],
  );
}
