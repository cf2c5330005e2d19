import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { eventBusOf, type PublishableEvent } from '../../../shared/control/event-bus.ts';
import { startTestEventBridge } from '../../helpers/event-bridge.ts';

const event = (tenantId: string, n: number, text = ''): PublishableEvent => ({
  tenantId,
  detailType: 'onboardingSuccess',
  detail: { tenantId, n, text },
  at: new Date('2026-11-01T10:00:00Z'),
});
const ofTenants = (count: number, text = '') => Array.from({ length: count }, (_, n) => event(`tenant-${n}`, n, text));
const fault = { ErrorCode: 'InternalFailure', ErrorMessage: 'Try again.' };

describe('publish', () => {
  test('puts events on the bus of the name, ten a request', async () => {
    await using bridge = await startTestEventBridge();
    expect(await eventBusOf(bridge.client, 'lifecycle').publish(ofTenants(23))).toEqual([]);
    expect(bridge.requests).toEqual([10, 10, 3]);
    expect(bridge.events().map(({ event: { detail } }) => detail['n'])).toEqual(
      Array.from({ length: 23 }, (_, n) => n),
    );
    expect(bridge.events()[0]).toMatchObject({
      eventBusName: 'lifecycle',
      event: { source: 'tenantry.control-plane', 'detail-type': 'onboardingSuccess', time: '2026-11-01T10:00:00Z' },
    });
  });

  test('puts less into a request when events are large, counted in bytes', async () => {
    await using bridge = await startTestEventBridge();
    expect(await eventBusOf(bridge.client, 'b').publish(ofTenants(7, 'ü'.repeat(150_000)))).toEqual([]);
    expect(bridge.requests).toEqual([3, 3, 1]);
    expect(bridge.events()).toHaveLength(7);
  });

  test('answers an event that no request can have, and publishes the others', async () => {
    await using bridge = await startTestEventBridge();
    const events = [event('a', 1), event('b', 2, 'x'.repeat(1_000_000)), event('c', 3)];
    const failed = await eventBusOf(bridge.client, 'b').publish(events);
    expect(failed).toEqual([{ event: events[1], code: 'EventTooLarge', message: expect.stringContaining('bytes') }]);
    expect(bridge.events()).toHaveLength(2);
  });

  test('answers exactly what a request has failed in part', async () => {
    await using bridge = await startTestEventBridge({
      fault: ({ Detail }) => (/"n":[147]\b/.test(Detail) ? fault : undefined),
    });
    const events = ofTenants(9);
    const failed = await eventBusOf(bridge.client, 'b').publish(events);
    expect(failed).toEqual(
      [1, 4, 7].map((n) => ({ event: events[n], code: 'InternalFailure', message: 'Try again.' })),
    );
    expect(bridge.events()).toHaveLength(6);
  });

  test('fails the events of a request that fails as a whole', async () => {
    const bridge = await startTestEventBridge();
    await bridge[Symbol.asyncDispose]();
    const failed = await eventBusOf(bridge.client, 'b').publish(ofTenants(12));
    expect(failed).toHaveLength(12);
  });

  test('keeps the order of each tenant, whatever fails, and loses nothing', async () => {
    let failing = new Set<number>();
    await using bridge = await startTestEventBridge({
      fault: ({ Detail }) => (failing.has((JSON.parse(Detail) as { n: number }).n) ? fault : undefined),
    });
    const plan = fc.record({ tenants: fc.array(fc.nat(4), { maxLength: 30 }), faults: fc.array(fc.nat(29)) });
    await fc.assert(
      fc.asyncProperty(plan, async ({ tenants, faults }) => {
        failing = new Set(faults);
        const before = bridge.events().length;
        const events = tenants.map((tenant, n) => event(`tenant-${tenant}`, n));
        const failed = await eventBusOf(bridge.client, 'b').publish(events);
        const published = bridge
          .events()
          .slice(before)
          .map(({ event: { detail } }) => detail['n']);
        for (const tenant of new Set(events.map(({ tenantId }) => tenantId))) {
          const own = events.filter(({ tenantId }) => tenantId === tenant).map(({ detail }) => detail['n']);
          const firstFault = own.findIndex((n) => failing.has(Number(n)));
          const expected = firstFault === -1 ? own : own.slice(0, firstFault);
          expect(published.filter((n) => own.includes(n))).toEqual(expected);
        }
        expect(failed.length + published.length).toBe(events.length);
      }),
      { numRuns: 60 },
    );
  });
});
