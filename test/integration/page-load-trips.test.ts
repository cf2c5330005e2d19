import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { projectsApi } from '../../functions/projects/schema.ts';
import { createTenantCache, openCacheConnection } from '../../shared/cache/index.ts';
import type { PlanName } from '../../shared/contract/index.ts';
import { tenantApi } from '../../shared/middleware/index.ts';
import { createRateLimiter } from '../../shared/rate-limit/index.ts';
import { apiEvent, authorizerContext, lambdaContext } from '../helpers/api-gateway.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { projectsHandlers } from '../helpers/projects-handlers.ts';
import { startLinkedCluster } from '../helpers/redis-cluster-link.ts';
import { type FaultyLink, startFaultyLink } from '../helpers/redis-link.ts';
import { redisKinds, startTestRedis } from '../helpers/redis.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

/** So far away is the server, so that what is sent in one go is told from what waits for an answer. */
const delayMs = 20;
const cleanups: (() => unknown)[] = [];
beforeEach(() => void captureJsonLines());
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

const servers = [
  ...redisKinds.map((kind) => ({ name: kind as string, kind, cluster: false })),
  ...redisKinds
    .filter((kind) => kind !== 'embedded')
    .map((kind) => ({ name: `${kind} in cluster mode`, kind, cluster: true })),
];
async function start({ kind, cluster }: (typeof servers)[number]): Promise<{ link: FaultyLink; url: string }> {
  if (cluster) {
    const linked = await startLinkedCluster('{acme}');
    cleanups.push(() => linked.stop());
    return linked;
  }
  const redis = await startTestRedis(kind);
  cleanups.push(() => redis.stop());
  const link = await startFaultyLink(redis.port);
  cleanups.push(() => link.stop());
  return { link, url: link.url };
}

describe.each(servers)('a page on $name', (server) => {
  it('waits once for limit and page, once more for the right to load, and once for storing it and giving the place back', async () => {
    const { link, url } = await start(server);
    const connection = openCacheConnection(url, { timeoutMs: 10_000 });
    cleanups.push(() => connection.close());
    const limiter = createRateLimiter({ connection });
    const handler = tenantApi(projectsApi, projectsHandlers, { limiter, cache: createTenantCache(connection) });
    /** Times that a request of a page waits for the server. */
    const tripsOf = async (plan: PlanName, page: number): Promise<number> => {
      const authorizer = authorizerContext('acme', { plan, capability: capabilityFor('acme') });
      const before = link.roundTrips();
      const event = apiEvent({ route: 'GET /projects', query: { limit: String(page) }, authorizer });
      expect(await handler(event, lambdaContext())).toMatchObject({ statusCode: 200 });
      return link.roundTrips() - before;
    };
    // Opens the connection, and tells the server all scripts.
    for (const plan of ['free', 'enterprise'] as const) await tripsOf(plan, 1);
    link.delay(delayMs);
    const trips = {
      miss: await tripsOf('enterprise', 10),
      hit: await tripsOf('enterprise', 10),
      'miss of a plan with places': await tripsOf('free', 11),
      'hit of a plan with places': await tripsOf('free', 11),
    };
    link.delay(0);
    expect(trips).toEqual({ miss: 3, hit: 1, 'miss of a plan with places': 3, 'hit of a plan with places': 2 });
  });
});
