import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { FunctionPool } from '../../../local/lambda/function-pool.ts';
import { startRedis } from '../../../local/redis.ts';
import type { DataApiCall, DataApiOptions } from '../../../local/data-api/server.ts';
import { cacheConnection } from '../../../shared/cache/index.ts';
import type { ApiHandler } from '../../../shared/middleware/index.ts';
import type { Placement } from '../../../shared/tenancy/index.ts';
import { apiEvent, authorizerContext, lambdaContext } from '../../helpers/api-gateway.ts';
import { capabilityFor } from '../../helpers/capability.ts';
import { functionEnvironment } from '../../helpers/function-environment.ts';
import { type FaultyLink, startFaultyLink } from '../../helpers/redis-link.ts';
import { pointSdkAt, startTenantDatabase, type TestTenantDatabase } from '../../helpers/tenant-database.ts';
import { type Fault, type FaultProxy, startFaultProxy } from './fault-proxy.ts';
import type { Program } from './program.ts';

/** A function, warm in this process and cold in processes of its own, over one database that cannot always be reached. */
export interface World extends AsyncDisposable {
  readonly tenants: TestTenantDatabase;
  readonly proxy: FaultProxy;
  /** Between functions and Redis. */
  readonly redisLink: FaultyLink;
  readonly pool: FunctionPool;
  /** Statements that reached the endpoint. */
  readonly statements: number;
  /** Why processes of the function have ended. */
  readonly crashes: readonly string[];
  /** Answers a request in this process. */
  readonly callHere: (
    tenantId: string,
    program: Program,
    remainingMs?: number,
    placement?: Placement,
  ) => Promise<Answer>;
  /** Answers a request in a process of its own. @returns undefined when that process ended instead */
  readonly callThere: (tenantId: string, program: Program) => Promise<Answer | undefined>;
}

export interface Answer {
  readonly status: number;
  readonly body: string;
}

export interface WorldOptions {
  readonly tenantIds: readonly string[];
  readonly choose: (call: number) => Fault | undefined;
  readonly maxProcesses?: number;
  readonly dataApi?: Partial<DataApiOptions>;
}

export async function startWorld({ tenantIds, choose, maxProcesses = 2, dataApi }: WorldOptions): Promise<World> {
  let statements = 0;
  const onCall = (call: DataApiCall) => void (statements += statementsOf(call));
  const [tenants, redis] = await Promise.all([
    startTenantDatabase(tenantIds, { transactionIdleMs: 1_000, onCall, ...dataApi }),
    startRedis(),
  ]);
  const proxy = await startFaultProxy(tenants.server.url, choose);
  pointSdkAt(proxy.url);
  const redisLink = await startFaultyLink(Number(new URL(redis.url).port));
  const environment = environmentOf(tenants, redisLink.url);
  Object.assign(process.env, environment);
  // Reads its configuration as it is loaded.
  const { handler } = (await import('./function.ts')) as { handler: ApiHandler };
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-soak-'));
  await bundle(folder);
  const crashes: string[] = [];
  const pool = poolOf(folder, environment, proxy.url, maxProcesses, crashes);
  const event = (tenantId: string, body: Program, placement = tenants.postgres.placement) =>
    apiEvent(requestOf(tenantId, body, placement));
  return {
    tenants,
    proxy,
    redisLink,
    pool,
    get statements() {
      return statements;
    },
    crashes,
    callHere: async (tenantId, program, remainingMs, placement) => {
      const { statusCode, body } = await handler(event(tenantId, program, placement), lambdaContext(remainingMs));
      return { status: statusCode, body };
    },
    callThere: async (tenantId, program) => {
      const { isError, payload } = await pool.invoke(event(tenantId, program));
      if (isError) return undefined;
      const { statusCode, body } = JSON.parse(payload) as { statusCode: number; body: string };
      return { status: statusCode, body };
    },
    [Symbol.asyncDispose]: async () => {
      await pool.stop();
      rmSync(folder, { recursive: true });
      cacheConnection(redisLink.url).close();
      await redisLink.stop();
      await Promise.all([redis.stop(), proxy.stop()]);
      await tenants[Symbol.asyncDispose]();
    },
  };
}

function environmentOf(tenants: TestTenantDatabase, cacheUrl: string): Record<string, string> {
  return {
    ...functionEnvironment(tenants, cacheUrl),
    POWERTOOLS_LOG_LEVEL: 'SILENT',
    POWERTOOLS_METRICS_DISABLED: 'true',
  };
}

/** As the functions of a deployment are bundled. */
async function bundle(folder: string): Promise<void> {
  await build({
    entryPoints: [join(import.meta.dirname, 'function.ts')],
    outfile: join(folder, 'index.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    mainFields: ['module', 'main'],
    banner: {
      js: `import{createRequire as __createRequire}from'node:module';const require=__createRequire(import.meta.url);`,
    },
    logLevel: 'error',
  });
}

function poolOf(
  folder: string,
  environment: Record<string, string>,
  url: string,
  maxProcesses: number,
  crashes: string[],
): FunctionPool {
  return new FunctionPool({
    definition: {
      arn: 'arn:aws:lambda:eu-central-1:000000000000:function:soak',
      name: 'soak',
      folder,
      handler: 'index.handler',
      // A process that starts on a busy machine needs most of a second before it can answer.
      timeoutSeconds: 4,
      memoryMegabytes: 256,
      region: 'eu-central-1',
      environment,
      reservedConcurrency: undefined,
    },
    endpoints: { AWS_ENDPOINT_URL_RDS_DATA: url },
    maxProcesses,
    log: () => undefined,
    onCrash: (reason) => crashes.push(reason),
  });
}

function requestOf(tenantId: string, body: Program, placement: Placement) {
  const authorizer = authorizerContext(tenantId, {
    plan: 'enterprise',
    placement: JSON.stringify(placement),
    capability: capabilityFor(tenantId),
  });
  return { route: 'POST /projects', body, authorizer };
}

interface ExecuteRequest {
  readonly parameters?: readonly { readonly name: string; readonly value: { readonly stringValue?: string } }[];
}

/** A call of `run_batch` is as many statements as it carries. */
function statementsOf({ operation, request }: DataApiCall): number {
  if (operation !== 'ExecuteStatement') return 0;
  const { parameters = [] } = request as ExecuteRequest;
  const batch = parameters.find(({ name }) => name === 'statements')?.value.stringValue;
  return batch === undefined ? 1 : (JSON.parse(batch) as unknown[]).length;
}
