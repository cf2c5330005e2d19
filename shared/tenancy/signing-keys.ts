import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import * as z from 'zod';
import type { SigningKey } from './capability.ts';

/** Seconds for which a function goes on with the keys it has read; a rotated key is in use everywhere after this time. */
const maxAgeSeconds = 300;

const keySchema = z.object({
  keyId: z.string().regex(/^[a-z0-9-]{1,64}$/, 'must be lower-case letters, digits and hyphens'),
  secret: z.string().min(32, 'must have at least 32 characters'),
});
const secretSchema = z.union([z.object({ keys: z.array(keySchema).min(1) }), keySchema]);

/**
 * Reads the value of the signing secret: `{"keys":[{"keyId","secret"},…]}`, where the first key signs and all verify,
 * or a single `{"keyId","secret"}`.
 *
 * @throws Error that says what is wrong with the secret, without any of its text
 */
export function parseSigningKeys(secretText: string): readonly [SigningKey, ...SigningKey[]] {
  const parsed = secretSchema.safeParse(parseJson(secretText));
  if (!parsed.success) {
    throw new Error(
      'The signing secret must be JSON {"keys":[{"keyId","secret"},…]} with secrets of at least 32 characters.',
    );
  }
  const keys = 'keys' in parsed.data ? parsed.data.keys : [parsed.data];
  const [first, ...others] = keys.map(({ keyId, secret }) => ({ keyId, secret: new TextEncoder().encode(secret) }));
  if (!first) throw new Error('The signing secret holds no key.');
  return [first, ...others];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * The key that signs capabilities now, from Secrets Manager. Cached, but not for ever, so that keys rotate without a deployment.
 *
 * @param secretArn ARN or name of the secret
 */
export async function loadSigningKey(secretArn: string): Promise<SigningKey> {
  const text = await getSecret(secretArn, { maxAge: maxAgeSeconds });
  if (typeof text !== 'string') throw new Error(`The signing secret ${secretArn} has no text.`);
  return parseSigningKeys(text)[0];
}
