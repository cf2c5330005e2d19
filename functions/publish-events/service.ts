import { randomUUID } from 'node:crypto';
import type { Claim, EventBus, FailedEvent, OutboxEvent, PublishOutcome } from '../../shared/control/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';

export interface Outbox {
  /** The next events that nobody else is publishing, those of a tenant in their order. */
  claim(claimant: string): Promise<Claim>;
  settle(claimant: string, outcome: PublishOutcome): Promise<void>;
}

export interface Published {
  readonly published: number;
  /** Not taken this time. */
  readonly failed: number;
  /** Never to be taken. */
  readonly refused: number;
}

/** Failures that are about the event itself: however often it is tried, it stays as it is. */
const hopeless = new Set(['EventTooLarge', 'MalformedDetail']);

/** Less than a minute: the next run by schedule tries again, and those that are asked for in between do not. */
const pauseSeconds = 30;

const log = serviceLogger('publish-events');

/**
 * Publishes what is in the outbox: at least once, and those of a tenant in their order. An event that is not taken stops the later ones of
 * its tenant until it is, unless no bus will ever take it: that one is passed over.
 *
 * It looks again after each batch, until there is nothing: what is written while this runs, and whoever is turned away meanwhile because
 * a tenant is claimed here, is not left for later.
 *
 * @param mayGoOn false when there is no time for another batch
 */
export async function publishEvents(outbox: Outbox, bus: EventBus, mayGoOn: () => boolean): Promise<Published> {
  const total = { published: 0, failed: 0, refused: 0 };
  while (mayGoOn()) {
    const claimant = randomUUID();
    const { events, tooLarge } = await outbox.claim(claimant);
    if (events.length + tooLarge.length === 0) break;
    const failures = [...tooLarge, ...(await bus.publish(events))];
    const outcome = outcomeOf(events, failures);
    await outbox.settle(claimant, outcome);
    total.published += outcome.published.length;
    total.refused += outcome.refused.length;
    total.failed += failures.length - outcome.refused.length;
  }
  return total;
}

function outcomeOf(events: readonly OutboxEvent[], failures: readonly FailedEvent<OutboxEvent>[]): PublishOutcome {
  const failed = new Set(failures.map(({ event }) => event));
  const [refused, passing] = [failures.filter(isHopeless), failures.filter((failure) => !isHopeless(failure))];
  // What only waited for another one goes with it.
  const [held, troubled] = [passing.filter(isHeld), passing.filter((failure) => !isHeld(failure))];
  for (const { event, code, message } of refused) {
    log.error('An event will never be published', { ...named(event), code, reason: message });
  }
  for (const { event, code, message } of troubled) {
    log.warn('An event was not published', { ...named(event), code, reason: message, waiting: held.length });
  }
  return {
    published: events.filter((event) => !failed.has(event)).map(({ id }) => id),
    refused: refused.map(({ event: { id }, code, message }) => ({ id, code, message })),
    failedTenants: troubled.map(({ event }) => event.tenantId),
    pauseSeconds,
  };
}

const isHopeless = ({ code }: FailedEvent<OutboxEvent>): boolean => hopeless.has(code);
const isHeld = ({ code }: FailedEvent<OutboxEvent>): boolean => code === 'EarlierEventFailed';
const named = ({ id, tenantId, detailType }: OutboxEvent) => ({ eventId: id, tenantId, detailType });
