import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { publishEvents } from '../../functions/publish-events/service.ts';
import { publishLeaseSeconds, publishTimeoutSeconds } from '../../shared/contract/index.ts';
import { claimEvents, eventBusOf, oldestUnpublishedSeconds, settleEvents } from '../../shared/control/index.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import { type OutboxWorld, startOutboxWorld } from '../helpers/outbox-world.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

/** Tenants whose events the bus does not take for now. */
const troubled = new Set<string>();
let world: OutboxWorld;
beforeAll(async () => {
  world = await startOutboxWorld({
    fault: ({ Detail }) =>
      [...troubled].some((tenantId) => Detail.includes(tenantId))
        ? { ErrorCode: 'InternalFailure', ErrorMessage: 'Try again.' }
        : undefined,
  });
});
afterAll(() => world[Symbol.asyncDispose]());

/** Sequences of a tenant's events in the order in which each came first, without those that came again. */
const firstOf = (tenantId: string): number[] => [
  ...new Set(world.delivered([tenantId]).map(({ sequence }) => sequence)),
];
const sequences = (count: number): number[] => Array.from({ length: count }, (_, n) => n + 1);

describe('the publisher', () => {
  it('publishes each event with what identifies it, and marks it as published', async () => {
    const [tenantId = ''] = await world.write([1], {
      plan: 'pro',
      id: 'not an id',
      tenantId: 'somebody',
      sequence: -1,
    });
    await world.run();
    const [event] = world.delivered([tenantId]);
    const { rows } = await world.database.postgres.superuser.query(
      'select id, created_at, published_at is not null as published from registry.events where tenant_id = $1',
      [tenantId],
    );
    expect(event).toEqual({ id: rows[0]?.id, tenantId, sequence: 1, plan: 'pro', at: expect.any(String) });
    expect(new Date((event as unknown as { at: string }).at)).toEqual(rows[0]?.created_at);
    expect(rows[0]?.published).toBe(true);
    await expect(world.run()).resolves.toMatchObject({ calls: ['claim'], published: { published: 0 } });
  });

  it('publishes the events of a tenant in their order, and goes on until there is none', async () => {
    const tenantIds = await world.write([25, 1, 12]);
    const { published } = await world.run();
    expect(published).toEqual({ published: 38, failed: 0, refused: 0 });
    expect(tenantIds.map(firstOf)).toEqual([sequences(25), sequences(1), sequences(12)]);
  });

  it('goes by the numbers of events, not by their times, which may be the other way round', async () => {
    const [tenantId = ''] = await world.write([3]);
    await world.database.postgres.superuser.query(
      `update registry.events set created_at = created_at - sequence * interval '1 s' where tenant_id = $1`,
      [tenantId],
    );
    await world.run();
    expect(firstOf(tenantId)).toEqual(sequences(3));
  });

  it('reads no more at once than the Data API answers', async () => {
    const tenantIds = await world.write(
      Array.from({ length: 12 }, () => 4),
      { text: '"'.repeat(20_000) },
    );
    await expect(world.run()).resolves.toMatchObject({ published: { published: 48, failed: 0, refused: 0 } });
    expect(tenantIds.map(firstOf)).toEqual(tenantIds.map(() => sequences(4)));
  });

  it('loses nothing, doubles no event under another id, and keeps the order, wherever it is stopped', async () => {
    const write = (): Promise<string[]> => world.write([12, 3, 1]);
    await write();
    const { calls } = await world.run();
    expect(calls.filter((call) => call === 'settle').length).toBeGreaterThan(1);
    let again = 0;
    for (const stopBefore of calls.keys()) {
      const tenantIds = await write();
      const ids = new Set(await world.unpublished(tenantIds));
      await world.run(stopBefore);
      const before = world.delivered(tenantIds).length;
      // Until the lease is over, nobody else publishes what was claimed.
      await world.run();
      if (calls[stopBefore] !== 'claim') expect(world.delivered(tenantIds), `${stopBefore}`).toHaveLength(before);
      await world.passLease();
      await world.run();
      expect(tenantIds.map(firstOf), `stopped before call ${stopBefore}`).toEqual([sequences(12), sequences(3), [1]]);
      expect(new Set(world.delivered(tenantIds).map(({ id }) => id))).toEqual(ids);
      expect(await world.unpublished(tenantIds)).toEqual([]);
      if (world.delivered(tenantIds).length > ids.size) again += 1;
    }
    expect(again, 'times that events were published a second time').toBeGreaterThan(0);
  });

  it('stops at an event that is not taken, for this tenant and for now', async () => {
    const [bad = '', good = ''] = await world.write([3, 3]);
    troubled.add(bad);
    await expect(world.run()).resolves.toMatchObject({ published: { published: 3, failed: 3 } });
    expect([firstOf(bad), firstOf(good)]).toEqual([[], sequences(3)]);
    expect(await oldestUnpublishedSeconds()).toBeGreaterThan(0);
    troubled.clear();
    // Not at once: whoever asks in between would only ask in vain.
    await world.run();
    expect(firstOf(bad)).toEqual([]);
    await world.passLease();
    await world.run();
    expect(firstOf(bad)).toEqual(sequences(3));
    expect(await oldestUnpublishedSeconds()).toBe(0);
  });

  it('passes over an event that no bus will ever take, says so in the outbox, and publishes the later ones', async () => {
    const [tenantId = '', other = ''] = await world.write([1, 1]);
    await world.emit(tenantId, { text: 'x'.repeat(60_000) });
    await world.emit(tenantId, { text: '"'.repeat(20_000) });
    await expect(world.run()).resolves.toMatchObject({ published: { published: 3, refused: 1, failed: 0 } });
    expect([firstOf(tenantId), firstOf(other)]).toEqual([[1, 3], [1]]);
    const { rows } = await world.database.postgres.superuser.query(
      'select sequence, refused from registry.events where tenant_id = $1 and published_at is null',
      [tenantId],
    );
    expect(rows).toEqual([
      { sequence: '2', refused: { code: 'EventTooLarge', message: 'Its detail has 60012 bytes.' } },
    ]);
  });
});

describe('several publishers', () => {
  it('at once publish each event once, in order', async () => {
    const tenantIds = await world.write(Array.from({ length: 40 }, (_, n) => 1 + (n % 15)));
    await Promise.all(Array.from({ length: 4 }, () => world.run()));
    expect(tenantIds.map(firstOf)).toEqual(tenantIds.map((_, n) => sequences(1 + (n % 15))));
    const delivered = world.delivered(tenantIds);
    expect(new Set(delivered.map(({ id }) => id)).size).toBe(delivered.length);
  });

  it('leave nothing: what one of them may not have, the other looks for again', async () => {
    const [tenantId = ''] = await world.write([1]);
    const bus = eventBusOf(world.bridge.client, 'bus');
    const limits = { leaseSeconds: 90, tenants: 20, events: 10 };
    const outbox = { claim: (claimant: string) => claimEvents(claimant, limits), settle: settleEvents };
    let turnedAway: unknown;
    const publish: typeof bus.publish = async (events) => {
      if (turnedAway === undefined) {
        await world.emit(tenantId);
        turnedAway = (await world.run()).published;
      }
      return bus.publish(events);
    };
    await publishEvents(outbox, { publish }, () => true);
    expect(turnedAway).toEqual({ published: 0, failed: 0, refused: 0 });
    expect(firstOf(tenantId)).toEqual([1, 2]);
  });

  it('cannot give back what somebody else has claimed after their lease, but what was taken stays published', async () => {
    const [tenantId = ''] = await world.write([2]);
    const [late, next] = [crypto.randomUUID(), crypto.randomUUID()];
    const limits = { leaseSeconds: 90, tenants: 20, events: 1 };
    const claim = await claimEvents(late, limits);
    const [first] = claim.events;
    await expect(claimEvents(late, limits)).resolves.toEqual(claim);
    await world.passLease();
    await claimEvents(next, limits);
    const outcome = { published: [first?.id ?? ''], refused: [], failedTenants: [], pauseSeconds: 30 };
    await settleEvents(late, outcome);
    await expect(claimEvents(crypto.randomUUID(), limits)).resolves.toEqual({ events: [], tooLarge: [] });
    expect(await world.unpublished([tenantId])).toHaveLength(1);
    await settleEvents(next, { ...outcome, published: [] });
    await world.run();
    expect(firstOf(tenantId)).toEqual([2]);
  });
});

it('a lease outlives whoever has it: the function is ended before others may go on', () => {
  expect(publishLeaseSeconds).toBeGreaterThanOrEqual(publishTimeoutSeconds + 15);
});

it('the function publishes to the bus of its configuration, and measures what is left', async () => {
  process.env['TENANTRY_EVENT_BUS'] = 'tenantry-test';
  process.env['AWS_ENDPOINT_URL_EVENTBRIDGE'] = world.bridge.url;
  const lines = captureJsonLines();
  const [tenantId = ''] = await world.write([2]);
  const { handler } = await import('../../functions/publish-events/handler.ts');
  await handler({}, { getRemainingTimeInMillis: () => 60_000 });
  expect(world.bridge.events().at(-1)).toMatchObject({
    eventBusName: 'tenantry-test',
    event: { detail: { tenantId } },
  });
  expect(lines).toContainEqual(
    expect.objectContaining({ service: 'publish-events', unpublished_event_age_seconds: 0, refused_events_total: 0 }),
  );
  await world.write([1]);
  await handler({}, { getRemainingTimeInMillis: () => 10_000 });
  expect(await oldestUnpublishedSeconds()).toBeGreaterThan(0);
});
