import { recordCacheUse } from '../metrics/index.ts';
import { type CacheClient, type CacheConnection, CacheUnavailableError, type RunOptions } from './connection.ts';
import { entryKeys, generationsKey } from './keys.ts';
import type { CacheNamespace } from './namespace.ts';
import { decodePayload, encodePayload, notKept } from './payload.ts';
import { type Claim, defineCacheScripts, type Look, look, store } from './scripts.ts';

/** Which entry of whose cache. */
export interface EntryName {
  readonly tenantId: string;
  readonly namespace: CacheNamespace<unknown>;
  readonly key: string;
}

/** Entries of any tenant's cache. Nothing here throws for a Redis that is away: it is counted, and there is no answer. */
export interface Entries {
  /** @param token claims the entry if there is nothing good @param passOver id of a value that is of no use */
  look(name: EntryName, token?: string, passOver?: string): Promise<Look | undefined>;
  store(name: EntryName, value: unknown, claim?: Claim): Promise<void>;
  release(name: EntryName, token: string): Promise<void>;
  delete(name: EntryName): Promise<void>;
  /** Makes all entries of a tenant invalid, or those of one namespace. */
  renew(tenantId: string, field: string): Promise<void>;
}

/** Values are good for up to so much less than they might be, so that what was stored together is not loaded together. */
const jitter = 0.1;

export function entriesOn(connection: CacheConnection): Entries {
  defineCacheScripts(connection.client);
  const ask = async <T>(work: (client: CacheClient) => Promise<T>, options?: RunOptions): Promise<T | undefined> => {
    try {
      return await connection.run(work, options);
    } catch (error) {
      if (!(error instanceof CacheUnavailableError)) throw error;
      recordCacheUse('failure');
      return undefined;
    }
  };
  const release = async (name: EntryName, token: string): Promise<void> =>
    void (await ask((client) => client.tenantryRelease(keysOf(name).claim, token), { always: true }));
  return {
    look: async (name, token, passOver) => {
      const seen = await ask((client) => look(client, keysOf(name), name.namespace.name, { token, passOver }));
      // It may claim the entry yet, for nobody. Servers keep to the order, so that what is sent now comes after it.
      if (!seen && token !== undefined) void release(name, token);
      return seen;
    },
    store: async (name, value, claim) => {
      const payload = payloadOf(value, name.namespace);
      const { name: namespace, ttlSeconds, staleSeconds } = name.namespace;
      const freshMs = Math.ceil(ttlSeconds * 1_000 * (1 - Math.random() * jitter));
      const keptMs = freshMs + Math.ceil(staleSeconds * 1_000);
      const storing = { namespace, payload, freshMs, keptMs, claim };
      const wasStored = await ask((client) => store(client, keysOf(name), storing));
      if (wasStored === undefined && claim) void release(name, claim.token);
    },
    release,
    delete: async (name) => {
      const { entry, claim } = keysOf(name);
      await ask((client) => client.del(entry, claim), { always: true });
    },
    renew: async (tenantId, field) =>
      void (await ask((client) => client.tenantryRenew(generationsKey(tenantId), field), { always: true })),
  };
}

function payloadOf(value: unknown, { name, schema }: CacheNamespace<unknown>): string {
  const payload = encodePayload(value);
  if (payload === notKept) recordCacheUse('oversized');
  if (payload !== undefined && (payload === notKept || decodePayload(payload, schema))) return payload;
  if (!unfit.has(name))
    console.warn(`What JSON makes of a value of "${name}" does not fit its schema: such values are not cached.`);
  unfit.add(name);
  return notKept;
}

/** Namespaces of which that was said. */
const unfit = new Set<string>();

const keysOf = ({ tenantId, namespace, key }: EntryName) => entryKeys(tenantId, namespace.name, key);
