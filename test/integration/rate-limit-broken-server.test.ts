import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openCacheConnection } from '../../shared/cache/index.ts';
import { createRateLimiter, type RateLimitDecision, type RateLimiter } from '../../shared/rate-limit/index.ts';
import { freePort } from '../helpers/ports.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { redisFaults } from '../helpers/redis-faults.ts';
import { startFaultyLink } from '../helpers/redis-link.ts';
import { startRedisServer } from '../helpers/redis-server.ts';

const request = { tenantId: 'acme', limit: { requestsPerMinute: 1, burst: 2 } };
const timeoutMs = 50;
/** What a machine that does other things may add before it notices that the time is over. */
const slackMs = 400;
const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

/** Asks until Redis itself answers. */
async function untilDecided(limiter: RateLimiter): Promise<RateLimitDecision> {
  for (;;) {
    const decision = await limiter.consume({
      ...request,
      limit: { requestsPerMinute: 1e6, burst: 1_000 },
      scope: 'try',
    });
    if (decision.source === 'redis') return decision;
    await sleep(20);
  }
}

describe.each(Object.entries(redisFaults))('a server that %s', (name, start) => {
  it.each(['open', 'closed'] as const)(
    'holds nobody up, %s, and is asked again when it is well',
    async (whenUnavailable) => {
      const fault = await start((work) => cleanups.push(work));
      const warnings: string[] = [];
      const connection = openCacheConnection(fault.url, { timeoutMs, warn: (message) => warnings.push(message) });
      cleanups.push(() => connection.close());
      const limiter = createRateLimiter({ connection, whenUnavailable });
      await untilDecided(limiter);
      const before = warnings.length;
      await fault.breakIt();
      const decisions: (RateLimitDecision & { readonly ms: number })[] = [];
      for (let i = 0; i < 4; i += 1) {
        const sent = performance.now();
        decisions.push({ ...(await limiter.consume(request)), ms: performance.now() - sent });
      }
      const took = decisions.map(({ ms }) => ms);
      console.log(`${name}, ${whenUnavailable}: ${took.map((ms) => ms.toFixed(1)).join(', ')} ms`);
      expect(Math.max(...took)).toBeLessThan(timeoutMs + slackMs);
      expect(decisions.map(({ allowed, source }) => [allowed, source])).toEqual(
        whenUnavailable === 'open'
          ? [true, true, false, false].map((allowed) => [allowed, 'local'])
          : [false, false, false, false].map((allowed) => [allowed, 'none']),
      );
      expect(warnings.length).toBe(Math.max(before, 1));
      await fault.mendIt();
      expect(await untilDecided(limiter)).toMatchObject({ allowed: true });
    },
  );
});

describe('a server that is killed', () => {
  it('has those who wait for it go on as soon as the connection breaks', async () => {
    const server = await startRedisServer(await freePort());
    cleanups.push(() => server.stop());
    const link = await startFaultyLink(server.port);
    cleanups.push(() => link.stop());
    const connection = openCacheConnection(link.url, { timeoutMs: 20_000, warn: () => undefined });
    cleanups.push(() => connection.close());
    const limiter = createRateLimiter({ connection });
    await untilDecided(limiter);
    link.delay(60_000);
    const waiting = Array.from({ length: 10 }, () => limiter.consume(request));
    await sleep(50);
    const killedAt = performance.now();
    await server.kill();
    const sources = (await Promise.all(waiting)).map(({ source }) => source);
    // Long before anybody would have given up.
    expect(performance.now() - killedAt).toBeLessThan(10_000);
    expect(new Set(sources)).toEqual(new Set(['local']));
  });
});

describe('a server that has become a replica', () => {
  it('is left, for whomever its name points to by now', async () => {
    const [primary, server] = [await startRedisServer(await freePort()), await startRedisServer(await freePort())];
    cleanups.push(
      () => primary.stop(),
      () => server.stop(),
    );
    const connection = openCacheConnection(`redis://127.0.0.1:${server.port}`, { warn: () => undefined });
    cleanups.push(() => connection.close());
    const limiter = createRateLimiter({ connection });
    await untilDecided(limiter);
    await server.admin.replicaof('127.0.0.1', primary.port);
    const closed = once(connection.client, 'close');
    expect((await limiter.consume(request)).source).toBe('local');
    await closed;
  });
});
