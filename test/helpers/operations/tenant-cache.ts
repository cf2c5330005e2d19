import { serveTenantCache } from '../../../functions/tenant-cache/service.ts';
import { keysConnection } from '../../../shared/cache/index.ts';
import type { TenantCache } from '../../../shared/control/index.ts';
import { redisKinds, startTestRedis } from '../redis.ts';

/** A real cache, asked by what the function in its network does. */
export interface TestTenantCache extends AsyncDisposable {
  readonly cache: TenantCache;
  /** Puts keys into it. */
  fill(tenantId: string): Promise<void>;
}

export async function startTenantCache(): Promise<TestTenantCache> {
  const redis = await startTestRedis(redisKinds.at(-1) ?? 'embedded');
  const connection = keysConnection(redis.url);
  const serve = (tenantId: string, action: string) =>
    serveTenantCache({ tenantId, action }, connection, Date.now() + 30_000);
  return {
    cache: {
      purge: async (tenantId) => void (await serve(tenantId, 'purge')),
      count: async (tenantId) => (await serve(tenantId, 'count'))?.keys ?? NaN,
    },
    fill: async (tenantId) => {
      const keys = [`t:{${tenantId}}:generation`, `t:{${tenantId}}:g1:projects:1`, `t:{${tenantId}}:limit:all`];
      await connection.run(async (client) => {
        for (const key of keys) await client.set(key, '1');
      });
    },
    [Symbol.asyncDispose]: async () => {
      connection.close();
      await redis.stop();
    },
  };
}
