import { type Fetcher, SimpleFetcher } from 'aws-jwt-verify/https';

/** Answers of an issuer on the same machine are expected at once. */
const timeoutMs = 3_000;
const https = new SimpleFetcher();

/**
 * Fetches issuers' keys over https, as aws-jwt-verify does. An http URL is fetched too: shared/config admits those of issuers on the same
 * machine and no others.
 */
export const jwksFetcher: Fetcher = {
  fetch: (uri, ...rest) => (uri.startsWith('http://') ? fetchPlain(uri) : https.fetch(uri, ...rest)),
};

async function fetchPlain(uri: string): Promise<ArrayBuffer> {
  const response = await fetch(uri, { signal: AbortSignal.timeout(timeoutMs), redirect: 'error' });
  if (!response.ok) throw new Error(`${uri} answered ${response.status}.`);
  return await response.arrayBuffer();
}
