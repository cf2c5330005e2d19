import { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { loadConfig } from '../../shared/config/index.ts';
import { publishLeaseSeconds } from '../../shared/contract/index.ts';
import { claimEvents, eventBusOf, oldestUnpublishedSeconds, settleEvents } from '../../shared/control/index.ts';
import { publishMeasurements } from '../../shared/metrics/index.ts';
import { publishEvents } from './service.ts';

const { eventBus } = loadConfig('eventBus');
const requestHandler = { connectionTimeout: 2_000, requestTimeout: 5_000, throwOnRequestTimeout: true };
const bus = eventBusOf(new EventBridgeClient({ requestHandler }), eventBus);

/** A batch is published well within 20 s, also while the bus is slow. */
const limits = { leaseSeconds: publishLeaseSeconds, tenants: 20, events: 10 };
const batchMs = 20_000;

const outbox = { claim: (claimant: string) => claimEvents(claimant, limits), settle: settleEvents };

/** Publishes what is in the outbox: each minute, and whenever somebody has written to it. */
export async function handler(_event: unknown, context: { getRemainingTimeInMillis(): number }): Promise<void> {
  const { refused } = await publishEvents(outbox, bus, () => context.getRemainingTimeInMillis() > batchMs);
  publishMeasurements('publish-events', {
    unpublishedEventAge: await oldestUnpublishedSeconds(),
    refusedEvents: refused,
  });
}
