import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { Ratelimit } from '@upstash/ratelimit';
import { RateLimiterRedis } from 'rate-limiter-flexible';
import { startRedis } from '../local/redis.ts';
import { openCacheConnection } from '../shared/cache/index.ts';
import { createRateLimiter, limitsFor } from '../shared/rate-limit/index.ts';
import { atMost, type Bench, median } from './bench.ts';

const plan = limitsFor('enterprise');
const windowSeconds = 60;
const tenants = 1_000;
const concurrency = 64;
const rounds = 30;
const decisionsPerRound = 4_000;

/** Whether a tenant's request may pass. */
type Decide = (tenantId: string) => Promise<boolean>;
type Name = 'ours' | 'log' | 'flexible' | 'upstash';
const names: readonly Name[] = ['ours', 'log', 'flexible', 'upstash'];

/**
 * Decisions a second, and memory of a tenant that has asked 6,000 times in a minute, against the sorted set of requests that guides
 * show, `rate-limiter-flexible`, and the sliding window of `@upstash/ratelimit`. Each has a connection of its own to the same server,
 * with the same settings, and as many decisions under way; they take turns in short rounds.
 */
export const bench: Bench = async (progress) => {
  const redis = await startRedis();
  const connections = names.map(() => openCacheConnection(redis.url, { timeoutMs: 10_000 }));
  const [own, ...others] = connections.map(({ client }) => client as Redis);
  const [forLog, forFlexible, forUpstash] = others;
  const [connection] = connections;
  if (!connection || !own || !forLog || !forFlexible || !forUpstash) throw new Error('A connection is missing.');
  await Promise.all(connections.map((each) => each.run((client) => client.get('connected'))));
  const deciders: Readonly<Record<Name, Decide>> = {
    ours: ours(connection),
    log: sortedSetLog(forLog),
    flexible: flexible(forFlexible),
    upstash: upstash(forUpstash),
  };
  try {
    progress(`${rounds} rounds of ${decisionsPerRound} decisions each, on ${redis.kind}`);
    const perSecond = await throughput(deciders);
    progress('measuring memory');
    const bytes = await memory(deciders, own);
    const fastest = Math.max(perSecond.log, perSecond.flexible, perSecond.upstash);
    return {
      rows: [
        ...names.map((name) => ({ case: `${titles[name]}: decisions`, value: perSecond[name], unit: '/s' })),
        ...names.map((name) => ({ case: `${titles[name]}: a tenant`, value: bytes[name], unit: 'bytes' })),
      ],
      ratios: [
        atMost('decisions a second: fastest other / ours', fastest / perSecond.ours, 1),
        atMost('memory: ours / sorted-set log', bytes.ours / bytes.log, 0.01),
      ],
    };
  } finally {
    for (const each of connections) each.close();
    await redis.stop();
  }
};

const titles: Readonly<Record<Name, string>> = {
  ours: 'ours',
  log: 'sorted-set log',
  flexible: 'rate-limiter-flexible',
  upstash: '@upstash/ratelimit sliding window',
};

function ours(connection: ReturnType<typeof openCacheConnection>): Decide {
  const limiter = createRateLimiter({ connection });
  return async (tenantId) => (await limiter.consume({ tenantId, limit: plan })).allowed;
}

/** As guides have it: a member a request, in four commands of one transaction. */
function sortedSetLog(client: Redis): Decide {
  let requests = 0;
  return async (tenantId) => {
    const key = `ratelimit:${tenantId}`;
    const now = Date.now();
    const replies = await client
      .multi()
      .zremrangebyscore(key, 0, now - windowSeconds * 1_000)
      .zadd(key, now, `${now}-${++requests}`)
      .zcard(key)
      .expire(key, windowSeconds)
      .exec();
    return Number(replies?.[2]?.[1]) <= plan.requestsPerMinute;
  };
}

function flexible(storeClient: Redis): Decide {
  const limiter = new RateLimiterRedis({
    storeClient,
    keyPrefix: 'flexible',
    points: plan.requestsPerMinute,
    duration: windowSeconds,
  });
  return (tenantId) =>
    limiter.consume(tenantId).then(
      () => true,
      (refused: unknown) => {
        if (refused instanceof Error) throw refused;
        return false;
      },
    );
}

/** The package, with its Redis over HTTP replaced by ioredis, and all that it does beside the limit turned off. */
function upstash(client: Redis): Decide {
  const limiter = new Ratelimit({
    redis: adapterOf(client),
    limiter: Ratelimit.slidingWindow(plan.requestsPerMinute, `${windowSeconds} s`),
    prefix: 'upstash',
    ephemeralCache: false,
    analytics: false,
    timeout: 0,
  });
  return async (tenantId) => (await limiter.limit(tenantId)).success;
}

/** Its scripts begin with a flag that Redis itself does not know; without that line they run as they are. */
function adapterOf(client: Redis): ConstructorParameters<typeof Ratelimit>[0]['redis'] {
  const known = new Map<string, string>();
  const sha1 = (script: string): string => createHash('sha1').update(script).digest('hex');
  const adapter = {
    evalsha: (hash: string, keys: string[], parameters: unknown[]) => {
      const sha = known.get(hash);
      if (sha === undefined) return Promise.reject(new Error('NOSCRIPT No matching script.'));
      return client.evalsha(sha, keys.length, ...keys, ...parameters.map(String));
    },
    eval: (script: string, keys: string[], parameters: unknown[]) => {
      const portable = script.replace(/^#!.*\n/, '');
      known.set(sha1(script), sha1(portable));
      return client.eval(portable, keys.length, ...keys, ...parameters.map(String));
    },
  };
  return adapter as unknown as ConstructorParameters<typeof Ratelimit>[0]['redis'];
}

async function throughput(deciders: Readonly<Record<Name, Decide>>): Promise<Record<Name, number>> {
  const rates = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= rounds; round += 1) {
    for (const name of names.toSorted(() => Math.random() - 0.5)) {
      const started = performance.now();
      await decideMany(deciders[name], decisionsPerRound, (index) => `tenant-${index % tenants}`);
      // The first round warms up.
      if (round > 0) rates.get(name)?.push((decisionsPerRound / (performance.now() - started)) * 1_000);
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(rates.get(name) ?? [])])) as Record<Name, number>;
}

async function decideMany(decide: Decide, count: number, tenantOf: (index: number) => string): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < count) await decide(tenantOf(next++));
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
}

/** Of all keys of a tenant whose requests of a minute have just come. */
async function memory(deciders: Readonly<Record<Name, Decide>>, client: Redis): Promise<Record<Name, number>> {
  const bytes: Partial<Record<Name, number>> = {};
  for (const name of names) {
    const tenantId = `memory-of-${name}`;
    await decideMany(deciders[name], plan.requestsPerMinute, () => tenantId);
    const keys = await client.keys(`*${tenantId}*`);
    if (keys.length === 0) throw new Error(`${titles[name]} has kept nothing.`);
    const sizes = await Promise.all(keys.map((key) => client.memory('USAGE', key, 'SAMPLES', 0)));
    bytes[name] = sizes.reduce<number>((sum, size) => sum + Number(size), 0);
  }
  return bytes as Record<Name, number>;
}
