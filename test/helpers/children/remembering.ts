import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../../shared/cache/index.ts';
import { inTenant } from '../cache.ts';

/** A process that remembers one value, ten times at once, and says which values it got. Loading takes a moment, and counts. */
const [url = '', tenantId = ''] = process.argv.slice(2);
const connection = openCacheConnection(url, { timeoutMs: 10_000 });
const cache = createTenantCache(connection);
const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const load = async (): Promise<number> => {
  const loads = await connection.run((client) => client.incr(`loads:${tenantId}`));
  await new Promise((resolve) => setTimeout(resolve, 300));
  return loads;
};
await connection.run((client) => client.ping());
process.send?.('ready');
process.once('message', () => {
  const asked = Array.from({ length: 10 }, () => inTenant(tenantId, () => cache.remember(numbers, 'x', load)));
  void Promise.all(asked).then((values) => process.send?.(values, () => process.exit(0)));
});
