import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { recordCacheUse } from '../metrics/index.ts';
import type { Entries, EntryName } from './entries.ts';
import { decodePayload, notKept } from './payload.ts';
import type { Look } from './scripts.ts';

/**
 * How long a caller waits for others who load the same value, before it loads it as well. Each second that nothing comes of it one more of them
 * loads (a claim holds no longer), so that neither one who was killed nor one who is slow brings all of them down on the database.
 */
const longestWaitMs = 5_000;
/** The same where values are made void as fast as they are loaded: there is none to wait for. */
const longestChurnMs = 1_000;
const [firstPollMs, longestPollMs] = [10, 100];

/** The value of an entry, or what `load` gives. @see TenantCache.remember */
export async function remember(
  entries: Entries,
  name: EntryName,
  load: () => Promise<unknown>,
  peek?: Promise<Look | undefined>,
): Promise<unknown> {
  const token = randomUUID();
  const startedAt = Date.now();
  let seen = await (peek ?? entries.look(name, token));
  let waitedFor: string | undefined;
  for (let pollMs = firstPollMs; seen; pollMs = Math.min(2 * pollMs, longestPollMs)) {
    const found = decodePayload(seen.payload, name.namespace.schema);
    if (found) {
      recordCacheUse(seen.state === 'stale' ? 'stale' : 'hit');
      return found.value;
    }
    if (seen.state === 'claimed')
      return await loadAndStore(entries, name, load, { token, generation: seen.generation });
    if (seen.state === 'busy') waitedFor ??= seen.generation;
    const mostMs = seen.state === 'busy' && seen.generation !== waitedFor ? longestChurnMs : longestWaitMs;
    if (isNotKept(seen) || Date.now() >= startedAt + mostMs) break;
    if (seen.state === 'busy') await sleep(pollMs * (0.5 + Math.random() / 2));
    // A value of another shape is as good as none.
    seen = await entries.look(name, token, seen.id);
  }
  recordCacheUse('miss');
  return await load();
}

async function loadAndStore(
  entries: Entries,
  name: EntryName,
  load: () => Promise<unknown>,
  claim: { readonly token: string; readonly generation: string },
): Promise<unknown> {
  recordCacheUse('miss');
  try {
    const value = await load();
    await entries.store(name, value, claim);
    return value;
  } catch (error) {
    await entries.release(name, claim.token);
    throw error;
  }
}

function isNotKept({ state, payload }: Look): boolean {
  return (state === 'fresh' || state === 'stale') && payload === notKept;
}
