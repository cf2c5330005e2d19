import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APIGatewayClient, TooManyRequestsException } from '@aws-sdk/client-api-gateway';
import type { ManagementRates } from '../../local/api-gateway-management/rates.ts';
import { startApiGatewayManagement } from '../../local/api-gateway-management/server.ts';
import { ApiKeyStore } from '../../local/gateway/api-keys.ts';

const plan = (id: string) => ({
  id,
  name: `tenantry-test-${id}`,
  throttle: { rate: 5, burst: 10 },
  quota: { limit: 100, period: 'MONTH' as const },
});

/** An API with the usage plans `free`, `pro` and `enterprise`. */
const managedApi = { id: 'api1', stage: 'v1', usagePlans: [plan('free'), plan('pro'), plan('enterprise')] };

const generous = { rate: 10_000, burst: 10_000 };

export interface TestManagement extends AsyncDisposable {
  readonly keys: ApiKeyStore;
  readonly flushed: string[];
  readonly url: string;
  /** A client as functions have it. @default of attempts: the SDK's own */
  client(maxAttempts?: number): APIGatewayClient;
}

/** The management API over an empty store. @param rates missing: none that a test notices */
export async function startTestManagement(
  rates: ManagementRates = { total: generous, operations: {} },
): Promise<TestManagement> {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-management-'));
  const keys = new ApiKeyStore(join(folder, 'keys.json'));
  const flushed: string[] = [];
  const flushAuthorizers = (...of: string[]): void => void flushed.push(of.join('/'));
  const endpoint = await startApiGatewayManagement({ keys, apis: [managedApi], flushAuthorizers, rates });
  const clients: APIGatewayClient[] = [];
  return {
    keys,
    flushed,
    url: endpoint.url,
    client: (maxAttempts = 3) => {
      const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
      const client = new APIGatewayClient({ endpoint: endpoint.url, region: 'eu-central-1', credentials, maxAttempts });
      clients.push(client);
      return client;
    },
    [Symbol.asyncDispose]: async () => {
      for (const client of clients) client.destroy();
      await endpoint.stop();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Counts how often API Gateway refuses a call of the client for its rate. */
export function countRefusals(client: APIGatewayClient): { readonly refusals: number } {
  const count = { refusals: 0 };
  client.middlewareStack.add(
    (next) => (call) =>
      next(call).catch((error: unknown) => {
        if (error instanceof TooManyRequestsException) count.refusals += 1;
        throw error;
      }),
    { step: 'initialize' },
  );
  return count;
}
