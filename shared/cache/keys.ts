import { createHash } from 'node:crypto';

/** The keys that an entry of a tenant's cache needs. The braces put all of a tenant's into one slot of a cluster. */
export interface EntryKeys {
  readonly generations: string;
  readonly entry: string;
  readonly claim: string;
}

/** Longer ones are stored under their digest, and so is what might be taken for one, or has no bytes of its own: halves of characters. */
const longestKeyBytes = 200;
const digestPrefix = 'sha256:';

/**
 * A hash with the generation of the tenant in field `tenant`, and that of each namespace that was ever invalidated in a field by its name.
 * Entries name the generations that they belong to, so that a new one makes all of them invalid at once.
 */
export const generationsKey = (tenantId: string): string => `t:{${tenantId}}:generations`;

export function entryKeys(tenantId: string, namespace: string, key: string): EntryKeys {
  const isPlain = Buffer.byteLength(key) <= longestKeyBytes && !key.startsWith(digestPrefix) && isWellFormed(key);
  const name = isPlain ? key : `${digestPrefix}${digestOf(key)}`;
  return {
    generations: generationsKey(tenantId),
    entry: `t:{${tenantId}}:cache:${namespace}:${name}`,
    claim: `t:{${tenantId}}:claim:${namespace}:${name}`,
  };
}

const isWellFormed = (text: string): boolean => !/\p{Surrogate}/u.test(text);

function digestOf(text: string): string {
  return createHash('sha256')
    .update(text, isWellFormed(text) ? 'utf8' : 'utf16le')
    .digest('base64url');
}
