import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { Authenticate } from './outgoing.ts';

/** Access keys, or what gets them. */
export type Credentials = ConstructorParameters<typeof SignatureV4>[0]['credentials'];

/**
 * Signs requests for API Gateway with AWS credentials (Signature Version 4), anew for every attempt, since signatures are good for five
 * minutes.
 */
export function awsSigner(region: string, credentials: Credentials): Authenticate {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256 });
  return async ({ method, url, headers, body }) => {
    const query: Record<string, string[]> = {};
    for (const [name, value] of url.searchParams) (query[name] ??= []).push(value);
    const signed = await signer.sign({
      method,
      protocol: url.protocol,
      hostname: url.hostname,
      path: url.pathname,
      query,
      headers: { ...headers, host: url.host },
      ...(body !== undefined && { body }),
    });
    // fetch sets the host by itself, to the same.
    return Object.fromEntries(Object.entries(signed.headers).filter(([name]) => name !== 'host'));
  };
}
