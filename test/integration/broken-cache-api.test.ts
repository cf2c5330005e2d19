import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setTimeout as sleep } from 'node:timers/promises';
import { projectsApi } from '../../functions/projects/schema.ts';
import { createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import { metricNames } from '../../shared/contract/index.ts';
import { tenantApi } from '../../shared/middleware/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { apiEvent, authorizerContext, lambdaContext } from '../helpers/api-gateway.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { projectsHandlers } from '../helpers/projects-handlers.ts';
import { needsRedisServer } from '../helpers/redis.ts';
import { redisFaults } from '../helpers/redis-faults.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

const cleanups: (() => unknown)[] = [];
beforeEach(needsRedisServer);
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const requests = 5;

/** An API over a server, and what it writes: warnings of its connection, and lines. */
function apiOn(url: string, whenUnavailable: 'open' | 'closed') {
  const warnings: string[] = [];
  const connection = openCacheConnection(url, { warn: (message) => warnings.push(message) });
  cleanups.push(() => connection.close());
  const limiter = createRateLimiter({ connection, whenUnavailable });
  const handler = tenantApi(projectsApi, projectsHandlers, { limiter, cache: createTenantCache(connection) });
  const authorizer = authorizerContext('acme', { plan: 'enterprise', capability: capabilityFor('acme') });
  const list = (page: number) =>
    handler(apiEvent({ route: 'GET /projects', query: { limit: String(page) }, authorizer }), lambdaContext());
  const lines = captureJsonLines();
  /** The lines that requests for pages of their own write. */
  const linesOf = async (count: number, from: number): Promise<Record<string, unknown>[]> => {
    lines.length = 0;
    for (let page = from; page < from + count; page += 1) statuses.push((await list(page)).statusCode);
    return [...lines];
  };
  const statuses: number[] = [];
  /** Asks until the server answers everything again. */
  const untilWell = async (): Promise<void> => {
    for (let page = 50; ; page = 50 + ((page + 1) % 50)) {
      const [line] = await linesOf(1, page);
      if (!line?.[metricNames.limiterFallbacks] && !line?.[metricNames.cacheFailures]) break;
      await sleep(20);
    }
    statuses.length = 0;
  };
  return { warnings, linesOf, untilWell, statuses };
}

describe.each(Object.entries(redisFaults))('an API whose server %s', (_, start) => {
  it.each([
    ['open', 200],
    ['closed', 503],
  ] as const)('counts it in the line of each request, and writes no other, %s', async (whenUnavailable, status) => {
    const fault = await start((work) => cleanups.push(work));
    const { warnings, linesOf, untilWell, statuses } = apiOn(fault.url, whenUnavailable);
    await untilWell();
    const before = warnings.length;
    await fault.breakIt();
    const lines = await linesOf(requests, 1);
    expect(statuses).toEqual(Array(requests).fill(status));
    expect(lines.map((line) => line[metricNames.requests])).toEqual(Array(requests).fill(1));
    expect(lines.map((line) => line[metricNames.limiterFallbacks])).toEqual(Array(requests).fill(1));
    if (whenUnavailable === 'open')
      expect(lines.every((line) => Number(line[metricNames.cacheFailures]) >= 1)).toBe(true);
    expect(warnings.length).toBe(Math.max(before, 1));
    await fault.mendIt();
    await untilWell();
  });
});
