import { type EventBridgeClient, PutEventsCommand, type PutEventsRequestEntry } from '@aws-sdk/client-eventbridge';
import { eventSource } from '../contract/index.ts';

export interface PublishableEvent {
  /** For example `onboardingSuccess`. At most 128 characters. */
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly at: Date;
  /** Events of one tenant reach the bus in the order in which they are handed over. */
  readonly tenantId: string;
}

export interface FailedEvent<E extends PublishableEvent> {
  readonly event: E;
  /** The service's error code, or `EventTooLarge`, or `EarlierEventFailed` for what would have overtaken it. */
  readonly code: string;
  readonly message: string;
}

export interface EventBus {
  /**
   * Publishes events and answers those that were not taken; the others are. Never throws for what the service says: a request that fails as
   * a whole fails its events. An event may have been taken all the same when its answer was lost.
   */
  publish<E extends PublishableEvent>(events: readonly E[]): Promise<FailedEvent<E>[]>;
}

/** Entries that a PutEvents takes, and the bytes that all of them have together: less than 1 MB, whichever megabyte is meant. */
const entryLimit = 10;
const byteLimit = 1_000_000;

/** The event bus of a name. A request has one event a tenant, since it may fail in part, and the next event must wait for the one before. */
export function eventBusOf(client: EventBridgeClient, busName: string): EventBus {
  return {
    publish: async <E extends PublishableEvent>(events: readonly E[]) => {
      const failed: FailedEvent<E>[] = [];
      const stopped = new Set<string>();
      const fail = (event: E, code: string, message: string): void => {
        failed.push({ event, code, message });
        stopped.add(event.tenantId);
      };
      let waiting = [...events];
      while (waiting.length > 0) {
        const { batch, later } = nextBatch(waiting);
        await put(client, busName, batch, fail);
        waiting = [];
        for (const event of later) {
          if (stopped.has(event.tenantId)) fail(event, 'EarlierEventFailed', 'An earlier event of the tenant failed.');
          else waiting.push(event);
        }
      }
      return failed;
    },
  };
}

type Fail<E> = (event: E, code: string, message: string) => void;

async function put<E extends PublishableEvent>(
  client: EventBridgeClient,
  busName: string,
  batch: readonly E[],
  fail: Fail<E>,
): Promise<void> {
  const entries = batch.map((event) => entryOf(event, busName));
  const [only] = entries;
  if (only && entries.length === 1 && bytesOf(only) >= byteLimit) {
    for (const event of batch) fail(event, 'EventTooLarge', `The event has ${bytesOf(only)} bytes.`);
    return;
  }
  try {
    const { FailedEntryCount: failures = 0, Entries: results = [] } = await client.send(
      new PutEventsCommand({ Entries: entries }),
    );
    if (failures === 0) return;
    batch.forEach((event, n) => {
      const { ErrorCode: code, ErrorMessage: message = '' } = results[n] ?? { ErrorCode: 'NoResult' };
      if (code !== undefined) fail(event, code, message);
    });
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    for (const event of batch) fail(event, name, message);
  }
}

/** The first events that fit into a request, at most one of a tenant, and the others in their order. */
function nextBatch<E extends PublishableEvent>(events: readonly E[]): { batch: E[]; later: E[] } {
  const batch: E[] = [];
  const later: E[] = [];
  const tenants = new Set<string>();
  let bytes = 0;
  for (const event of events) {
    const size = bytesOf(entryOf(event, ''));
    const fits = batch.length === 0 || (batch.length < entryLimit && bytes + size < byteLimit);
    if (fits && !tenants.has(event.tenantId)) {
      batch.push(event);
      bytes += size;
    } else {
      later.push(event);
    }
    tenants.add(event.tenantId);
  }
  return { batch, later };
}

function entryOf({ detailType, detail, at }: PublishableEvent, busName: string): PutEventsRequestEntry {
  return {
    EventBusName: busName,
    Source: eventSource,
    DetailType: detailType,
    Detail: JSON.stringify(detail),
    Time: at,
  };
}

/** As PutEvents counts: https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-putevents.html; a time is 14 bytes. */
function bytesOf({ Source = '', DetailType = '', Detail = '' }: PutEventsRequestEntry): number {
  return 14 + Buffer.byteLength(Source + DetailType + Detail);
}
