import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';

/** What the cache holds of a tenant. */
export interface TenantCache {
  /** Deletes every key of the tenant. */
  purge(tenantId: string): Promise<void>;
  /** How many keys the tenant has. */
  count(tenantId: string): Promise<number>;
}

const answerSchema = z.object({ keys: z.number().int(), done: z.boolean() });

/**
 * The cache, by way of the function in its network: `functions/tenant-cache`.
 *
 * @throws Error when the function fails; what it said is in its log
 */
export function tenantCacheVia(client: LambdaClient, functionName: string): TenantCache {
  const invoke = async (tenantId: string, action: 'purge' | 'count'): Promise<z.output<typeof answerSchema>> => {
    const Payload = JSON.stringify({ tenantId, action });
    const { FunctionError, Payload: answer } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload }),
    );
    if (FunctionError !== undefined) throw new Error(`The function ${functionName} failed: ${FunctionError}.`);
    return answerSchema.parse(JSON.parse(Buffer.from(answer ?? []).toString()));
  };
  return {
    purge: async (tenantId) => {
      while (!(await invoke(tenantId, 'purge')).done);
    },
    count: async (tenantId) => (await invoke(tenantId, 'count')).keys,
  };
}
