import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import * as z from 'zod';
import { readStateFile, writePrivately } from '../stack/state-file.ts';

const part = z.base64url().min(1);
const privateKeySchema = z
  .looseObject({ kty: z.literal('RSA'), kid: z.string() })
  .and(z.looseObject({ n: part, e: part, d: part, p: part, q: part, dp: part, dq: part, qi: part }));
const identitySchema = z.object({ port: z.int().min(1).max(65_535), privateKey: privateKeySchema });

/** What makes the local issuer the same one after a restart, so that tokens stay valid: its address and its key. */
export interface IssuerIdentity {
  readonly port: number;
  readonly privateKey: JWK & { readonly kid: string };
}

/** The one client that the local issuer knows. */
export const localClientId = 'tenantry-local';

export const issuerUrl = ({ port }: Pick<IssuerIdentity, 'port'>): string => `http://127.0.0.1:${port}`;

const fileIn = (dataDir: string): string => join(dataDir, 'issuer.json');

/** Undefined before the first start of a stack with this data folder. @throws StartupError if its file is damaged */
export function readIssuerIdentity(dataDir: string): IssuerIdentity | undefined {
  return readStateFile(fileIn(dataDir), identitySchema);
}

export function writeIssuerIdentity(dataDir: string, identity: IssuerIdentity): Promise<void> {
  return writePrivately(fileIn(dataDir), JSON.stringify(identity));
}

/** A fresh RS256 key pair, as a private JWK. */
export async function generateIssuerKey(): Promise<IssuerIdentity['privateKey']> {
  const { privateKey } = await generateKeyPair('RS256', { extractable: true });
  return { ...(await exportJWK(privateKey)), kid: `local-${Date.now().toString(36)}`, alg: 'RS256', use: 'sig' };
}

/** The part of the key that anyone may know. */
export function publicKey({ privateKey }: IssuerIdentity): JWK {
  const { kty, n, e, kid, alg, use } = privateKey;
  return Object.fromEntries(Object.entries({ kty, n, e, kid, alg, use }).filter(([, value]) => value !== undefined));
}
