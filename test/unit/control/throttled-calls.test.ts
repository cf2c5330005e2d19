import { TooManyRequestsException } from '@aws-sdk/client-api-gateway';
import { describe, expect, test } from 'vitest';
import { apiKeysOf } from '../../../shared/control/api-keys.ts';
import { flushAuthorizerCache } from '../../../shared/control/authorizer-cache.ts';
import { pacer, untilTaken } from '../../../shared/control/throttled-calls.ts';
import { countRefusals, startTestManagement } from '../../helpers/api-gateway-management.ts';

const refusal = (retryAfterSeconds?: string) =>
  new TooManyRequestsException({
    message: 'Too Many Requests',
    $metadata: {},
    ...(retryAfterSeconds && { retryAfterSeconds }),
  });

describe('a call that is refused for its rate', () => {
  test('is made again, and not before Retry-After says', async () => {
    const attempts: number[] = [];
    const answer = await untilTaken(async () => {
      attempts.push(performance.now());
      if (attempts.length < 3) throw refusal(attempts.length === 1 ? '1' : undefined);
      return 'taken';
    });
    expect(answer).toBe('taken');
    expect(attempts).toHaveLength(3);
    expect((attempts[1] ?? 0) - (attempts[0] ?? 0)).toBeGreaterThanOrEqual(995);
  });

  test('is not made again for any other error', async () => {
    let attempts = 0;
    const failing = untilTaken(async () => {
      attempts += 1;
      throw new Error('broken');
    });
    await expect(failing).rejects.toThrow('broken');
    expect(attempts).toBe(1);
  });
});

test('turns come one after the other, never closer than the rate', async () => {
  const turn = pacer(50);
  const times = await Promise.all(Array.from({ length: 6 }, async () => (await turn(), performance.now())));
  const gaps = times.slice(1).map((time, n) => time - (times[n] ?? 0));
  expect((times[5] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(90);
  expect(gaps.every((gap) => gap >= 0)).toBe(true);
});

test('processes that use up the rate of one another all come to their ends', async () => {
  const tight = { total: { rate: 20, burst: 5 }, operations: { CreateApiKey: { rate: 3, burst: 1 } } };
  await using management = await startTestManagement(tight);
  const clients = [management.client(1), management.client(1), management.client(1)];
  const counts = clients.map(countRefusals);
  const planIds = { free: 'free', pro: 'pro', enterprise: 'enterprise' };
  const processes = clients.map((client) => apiKeysOf(client, planIds, { settleMs: 0 }));
  await Promise.all(processes.flatMap((keys, p) => ['a', 'b'].map((name) => keys.ensure(`${name}-${p}`, 'pro'))));
  expect(counts.some(({ refusals }) => refusals > 0)).toBe(true);
  expect(
    management.keys
      .list()
      .map(({ name, usagePlanId }) => `${name} ${usagePlanId}`)
      .sort(),
  ).toEqual(['a-0 pro', 'a-1 pro', 'a-2 pro', 'b-0 pro', 'b-1 pro', 'b-2 pro']);
});

test('the authorizer cache of a stage is flushed', async () => {
  await using management = await startTestManagement({ total: { rate: 1, burst: 1 }, operations: {} });
  const stage = { restApiId: 'api1', stageName: 'v1' };
  const client = management.client(1);
  await Promise.all([flushAuthorizerCache(client, stage), flushAuthorizerCache(client, stage)]);
  expect(management.flushed).toEqual(['api1/v1', 'api1/v1']);
  await expect(flushAuthorizerCache(client, { ...stage, stageName: 'v2' })).rejects.toThrow('Invalid stage identifier');
});
