import { createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import * as z from 'zod';
import { cacheNamespace, createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { inTenant } from '../helpers/cache.ts';
import { listen, portOf } from '../helpers/ports.ts';

const numbers = cacheNamespace('numbers', { schema: z.number(), ttlSeconds: 60 });
const request = { tenantId: 'acme', limit: { requestsPerMinute: 60, burst: 10 } };
const cleanups: (() => unknown)[] = [];
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup();
});

/** Something that speaks Redis's protocol, but is not what we think it is. */
async function connectToWhoAnswers(answer: string) {
  const server = createServer((socket) => {
    socket.on('data', (sent) => socket.write(answer.repeat(String(sent).match(/\*\d+\r\n/g)?.length ?? 0)));
    socket.on('error', () => undefined);
  });
  await listen(server);
  const connection = openCacheConnection(`redis://127.0.0.1:${portOf(server)}`, {
    timeoutMs: 10_000,
    warn: () => undefined,
  });
  cleanups.push(
    () => connection.close(),
    () => server.close(),
  );
  return connection;
}

describe.each([
  '$-1\r\n',
  '*-1\r\n',
  '+OK\r\n',
  '*0\r\n',
  '*1\r\n$-1\r\n',
  '*3\r\n:1\r\n:2\r\n:3\r\n',
  ':99999999999999999999\r\n',
  '*4\r\n$5\r\nfresh\r\n$1\r\n.\r\n$1\r\n5\r\n$-1\r\n',
  '*4\r\n$1\r\nx\r\n$1\r\n.\r\n$1\r\n5\r\n$0\r\n\r\n',
])('a server that answers %j', (answer) => {
  it('is as good as none', async () => {
    const connection = await connectToWhoAnswers(answer);
    const limiter = createRateLimiter({ connection });
    expect(await limiter.consume(request)).toMatchObject({ source: 'local', allowed: true });
    const concurrency = { limit: 1, leaseMs: 1_000 };
    expect(await limiter.consume({ ...request, concurrency })).toMatchObject({ source: 'local', allowed: true });
    const cache = createTenantCache(connection);
    await inTenant('acme', async () => {
      const startedAt = performance.now();
      expect(await cache.get(numbers, 'x')).toBeUndefined();
      expect(await cache.remember(numbers, 'x', async () => 1)).toBe(1);
      // Others would be waited for for five seconds.
      expect(performance.now() - startedAt).toBeLessThan(3_000);
    });
  });
});
