import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import {
  generateIssuerKey,
  type IssuerIdentity,
  issuerUrl,
  publicKey,
  readIssuerIdentity,
  writeIssuerIdentity,
} from './issuer-identity.ts';

export interface Issuer {
  readonly url: string;
  readonly jwksUri: string;
  stop(): Promise<void>;
}

/**
 * Serves an OpenID Connect issuer's discovery document and keys on 127.0.0.1. It has no login: `npm run token` signs tokens with its key.
 * Address and key are kept in the data folder; another port is taken only if the old one is in use now.
 */
export async function startIssuer(dataDir: string): Promise<Issuer> {
  const known = readIssuerIdentity(dataDir);
  const server = createServer();
  const port = await listen(server, known?.port ?? 0);
  const identity: IssuerIdentity = { port, privateKey: known?.privateKey ?? (await generateIssuerKey()) };
  if (port !== known?.port) await writeIssuerIdentity(dataDir, identity);
  const url = issuerUrl(identity);
  const jwksUri = `${url}/.well-known/jwks.json`;
  const documents = new Map<string, unknown>([
    ['/.well-known/jwks.json', { keys: [publicKey(identity)] }],
    ['/.well-known/openid-configuration', discovery(url, jwksUri)],
  ]);
  server.on('request', (request, response) => {
    const document = request.method === 'GET' ? documents.get(request.url ?? '') : undefined;
    response.writeHead(document ? 200 : 404, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(document ?? { error: 'not_found' }));
  });
  const stop = async (): Promise<void> => {
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    server.closeAllConnections();
    await closed;
  };
  return { url, jwksUri, stop };
}

function discovery(issuer: string, jwksUri: string): object {
  return {
    issuer,
    jwks_uri: jwksUri,
    id_token_signing_alg_values_supported: ['RS256'],
    subject_types_supported: ['public'],
    response_types_supported: ['token'],
  };
}

async function listen(server: Server, wanted: number): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(wanted, '127.0.0.1', resolve);
    });
  } catch (error) {
    if (wanted === 0) throw error;
    return listen(server, 0);
  }
  return (server.address() as AddressInfo).port;
}
