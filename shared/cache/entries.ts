import { recordCacheUse } from '../metrics/index.ts';
import { type CacheClient, type CacheConnection, CacheUnavailableError } from './connection.ts';
import { entryKeys, generationsKey } from './keys.ts';
import type { CacheNamespace } from './namespace.ts';
import { encodePayload, tooLarge } from './payload.ts';
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
  const ask = async <T>(work: (client: CacheClient) => Promise<T>): Promise<T | undefined> => {
    try {
      return await connection.run(work);
    } catch (error) {
      if (!(error instanceof CacheUnavailableError)) throw error;
      recordCacheUse('failure');
      return undefined;
    }
  };
  return {
    look: (name, token, passOver) =>
      ask((client) => look(client, keysOf(name), name.namespace.name, { token, passOver })),
    store: async (name, value, claim) => {
      const payload = encodePayload(value);
      if (payload === tooLarge) recordCacheUse('oversized');
      const { name: namespace, ttlSeconds, staleSeconds } = name.namespace;
      const freshMs = Math.ceil(ttlSeconds * 1_000 * (1 - Math.random() * jitter));
      const keptMs = freshMs + staleSeconds * 1_000;
      await ask((client) => store(client, keysOf(name), { namespace, payload, freshMs, keptMs, claim }));
    },
    release: async (name, token) => void (await ask((client) => client.tenantryRelease(keysOf(name).claim, token))),
    delete: async (name) => {
      const { entry, claim } = keysOf(name);
      await ask((client) => client.del(entry, claim));
    },
    renew: async (tenantId, field) =>
      void (await ask((client) => client.tenantryRenew(generationsKey(tenantId), field))),
  };
}

const keysOf = ({ tenantId, namespace, key }: EntryName) => entryKeys(tenantId, namespace.name, key);
