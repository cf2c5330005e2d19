import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import type { FailedEvent, PublishableEvent } from './event-bus.ts';

const rowSchema = z.object({
  id: z.uuid(),
  tenantId: z.string(),
  sequence: z.number().int(),
  type: z.string(),
  at: z.string(),
  bytes: z.number().int(),
  /** Null if it is larger than can be read. */
  detail: z.record(z.string(), z.unknown()).nullable(),
});
type Row = z.output<typeof rowSchema>;

/** An event of the outbox, as it goes to the bus. */
export interface OutboxEvent extends PublishableEvent {
  readonly id: string;
}

export interface ClaimLimits {
  /** How long nobody else gets events of these tenants. Longer than whoever publishes them lives. */
  readonly leaseSeconds: number;
  readonly tenants: number;
  /** Of each tenant. */
  readonly events: number;
}

/** What came of the events of a claim. Those that are in neither list are still to be published. */
export interface PublishOutcome {
  /** Ids of what the bus has taken. */
  readonly published: readonly string[];
  /** What no bus will ever take. It is passed over from now on. */
  readonly refused: readonly { readonly id: string; readonly code: string; readonly message: string }[];
  /** Tenants of which an event was not taken this time. */
  readonly failedTenants: readonly string[];
  /** How long those are left alone. */
  readonly pauseSeconds: number;
}

export interface Claim {
  readonly events: readonly OutboxEvent[];
  /** Events that are too large to be read. Their detail is left out here. */
  readonly tooLarge: readonly FailedEvent<OutboxEvent>[];
}

/**
 * The next events of tenants whose events nobody else is publishing, those of a tenant in their order.
 *
 * @param claimant an id that nobody has used before; the same one gets the same again
 */
export async function claimEvents(claimant: string, limits: ClaimLimits): Promise<Claim> {
  const answer = await queryRegistry({
    sql: `select cast(event as text) from registry.claim_events(cast(:claimant as uuid), cast(:lease as int),
      cast(:tenants as int), cast(:events as int)) event`,
    parameters: {
      claimant,
      lease: String(limits.leaseSeconds),
      tenants: String(limits.tenants),
      events: String(limits.events),
    },
    operation: 'update',
    twice: 'harmless',
  });
  const rows = z.array(rowSchema).parse(answer);
  return {
    events: rows.filter(({ detail }) => detail !== null).map(outboxEvent),
    tooLarge: rows
      .filter(({ detail }) => detail === null)
      .map((row) => ({
        event: outboxEvent(row),
        code: 'EventTooLarge',
        message: `Its detail has ${row.bytes} bytes.`,
      })),
  };
}

function outboxEvent({ id, tenantId, sequence, type, detail, at }: Row): OutboxEvent {
  // What identifies an event is never what somebody asked for.
  return { id, tenantId, detailType: type, at: new Date(at), detail: { ...detail, id, tenantId, sequence, at } };
}

/** Writes down what came of a claim, and gives it back. */
export async function settleEvents(claimant: string, outcome: PublishOutcome): Promise<void> {
  await queryRegistry({
    sql: 'select cast(null as text) from registry.settle_events(cast(:claimant as uuid), cast(:outcome as jsonb))',
    parameters: { claimant, outcome: JSON.stringify(outcome) },
    operation: 'update',
    twice: 'harmless',
  });
}

/** How old the oldest event is that is still to be published, in seconds; 0 when there is none. */
export async function oldestUnpublishedSeconds(): Promise<number> {
  const [age] = await queryRegistry({
    sql: `select cast(coalesce(extract(epoch from now() - min(created_at)), 0) as text) from registry.events
      where published_at is null and refused is null`,
    parameters: {},
    operation: 'select',
    twice: 'harmless',
  });
  return z.number().parse(age);
}
