import { readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exportJWK, generateKeyPair, type JWK } from 'jose';
import * as z from 'zod';

const jwkSchema = z.looseObject({ kty: z.string(), kid: z.string() });
const identitySchema = z.object({ port: z.int(), privateKey: jwkSchema });

/** What makes the local issuer the same one after a restart, so that tokens stay valid: its address and its key. */
export interface IssuerIdentity {
  readonly port: number;
  readonly privateKey: JWK & { readonly kid: string };
}

/** The one client that the local issuer knows. */
export const localClientId = 'tenantry-local';

export const issuerUrl = ({ port }: Pick<IssuerIdentity, 'port'>): string => `http://127.0.0.1:${port}`;

const fileIn = (dataDir: string): string => join(dataDir, 'issuer.json');

/** Undefined before the first start of a stack with this data folder. */
export async function readIssuerIdentity(dataDir: string): Promise<IssuerIdentity | undefined> {
  try {
    return identitySchema.parse(JSON.parse(await readFile(fileIn(dataDir), 'utf8')));
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR'))
      return undefined;
    throw error;
  }
}

export async function writeIssuerIdentity(dataDir: string, identity: IssuerIdentity): Promise<void> {
  const unfinished = `${fileIn(dataDir)}.new`;
  await writeFile(unfinished, JSON.stringify(identity), { mode: 0o600 });
  await rename(unfinished, fileIn(dataDir));
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
