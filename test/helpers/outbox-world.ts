import { randomBytes } from 'node:crypto';
import type { EventBridgeClient } from '@aws-sdk/client-eventbridge';
import { type Outbox, type Published, publishEvents } from '../../functions/publish-events/service.ts';
import type { EventBridgeOptions } from '../../local/event-bridge/server.ts';
import { claimEvents, eventBusOf, settleEvents } from '../../shared/control/index.ts';
import { startControlRegistry } from './control-registry.ts';
import { startTestEventBridge, type TestEventBridge } from './event-bridge.ts';
import type { TestTenantDatabase } from './tenant-database.ts';

/** What the bus has got of an event, in the order in which it got it. */
interface Delivery {
  readonly id: string;
  readonly tenantId: string;
  readonly sequence: number;
}

/** An outbox in a real registry, and a bus. */
export interface OutboxWorld extends AsyncDisposable {
  readonly database: TestTenantDatabase;
  readonly bridge: TestEventBridge;
  /** Tenants that nobody has used before, with so many events each. */
  write(events: readonly number[], detail?: object): Promise<string[]>;
  emit(tenantId: string, detail?: object): Promise<void>;
  /** A run of the function. @param stopBefore place of the call, from 0, before which the process stops */
  run(stopBefore?: number): Promise<{ calls: string[]; published: Published | undefined }>;
  delivered(tenantIds: readonly string[]): Delivery[];
  /** Makes leases end, as time does. */
  passLease(): Promise<void>;
  /** Ids of what is still to be published. */
  unpublished(tenantIds: readonly string[]): Promise<string[]>;
}

export async function startOutboxWorld(options: Pick<EventBridgeOptions, 'fault'> = {}): Promise<OutboxWorld> {
  const database = await startControlRegistry();
  const bridge = await startTestEventBridge(options);
  const { superuser } = database.postgres;
  const emit: OutboxWorld['emit'] = async (tenantId, detail = {}) => {
    await superuser.query(`select registry.emit($1, 'tierChangeSuccess', $2)`, [tenantId, detail]);
  };
  return {
    database,
    bridge,
    emit,
    write: async (events, detail) => {
      const tenantIds = events.map(() => `t${randomBytes(6).toString('hex')}`);
      for (const [n, tenantId] of tenantIds.entries()) {
        for (let event = 0; event < (events[n] ?? 0); event += 1) await emit(tenantId, detail);
      }
      return tenantIds;
    },
    run: (stopBefore) => runUntil(bridge.client, stopBefore),
    delivered: (tenantIds) =>
      bridge
        .events()
        .map(({ event }) => event.detail as unknown as Delivery)
        .filter(({ tenantId }) => tenantIds.includes(tenantId)),
    passLease: async () => {
      await superuser.query(`update registry.event_sequences set publish_after = '-infinity'`);
    },
    unpublished: async (tenantIds) => {
      const { rows } = await superuser.query<{ id: string }>(
        'select id from registry.events where published_at is null and refused is null and tenant_id = any ($1)',
        [tenantIds],
      );
      return rows.map(({ id }) => id);
    },
    [Symbol.asyncDispose]: async () => {
      await bridge[Symbol.asyncDispose]();
      await database[Symbol.asyncDispose]();
    },
  };
}

/** Runs the service with its real ports; after so many calls the process is as good as dead: it never goes on. */
async function runUntil(
  client: EventBridgeClient,
  stopBefore: number | undefined,
): Promise<{ calls: string[]; published: Published | undefined }> {
  const { promise: stopped, resolve: stop } = Promise.withResolvers<undefined>();
  const calls: string[] = [];
  const passes = async (call: string): Promise<void> => {
    if (calls.push(call) - 1 !== stopBefore) return;
    stop(undefined);
    await new Promise(() => undefined);
  };
  const limits = { leaseSeconds: 90, tenants: 20, events: 10 };
  const outbox: Outbox = {
    claim: async (claimant) => {
      await passes('claim');
      return claimEvents(claimant, limits);
    },
    settle: async (...args) => {
      await passes('settle');
      await settleEvents(...args);
    },
  };
  const middleware = `calls-${randomBytes(6).toString('hex')}`;
  client.middlewareStack.add(
    (next) => async (call) => {
      await passes('put');
      return next(call);
    },
    { step: 'initialize', name: middleware },
  );
  const published = await Promise.race([publishEvents(outbox, eventBusOf(client, 'bus'), () => true), stopped]);
  client.middlewareStack.remove(middleware);
  return { calls, published };
}
