import { createHash, timingSafeEqual } from 'node:crypto';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { GatewayRefusal } from './gateway-responses.ts';
import type { Principal } from './principals.ts';
import { type GatewayRequest, headerValues } from './request.ts';

/** How far the clock of a client may be off. */
const skewMs = 300_000;

export interface VerifyOptions {
  readonly principals: readonly Principal[];
  readonly region: string;
  readonly now: Date;
}

interface Claimed {
  readonly accessKeyId: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly signedAt: Date;
}

/**
 * Finds out who has signed a request (AWS Signature Version 4 in the header `Authorization`, service `execute-api`), by making the
 * signature anew.
 *
 * @see https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
 * @throws GatewayRefusal when it is not signed, or not validly
 */
export async function verifySignature(request: GatewayRequest, options: VerifyOptions): Promise<Principal> {
  const { principals, region, now } = options;
  const claimed = readClaim(request, region);
  if (Math.abs(now.getTime() - claimed.signedAt.getTime()) > skewMs) {
    throw invalid(`The signature is of ${claimed.signedAt.toISOString()}, and it is ${now.toISOString()} now`);
  }
  const principal = principals.find(({ accessKeyId }) => accessKeyId === claimed.accessKeyId);
  const [token = ''] = one(request, 'x-amz-security-token') ?? [];
  if (!principal || !isSame(token, principal.sessionToken ?? '')) throw invalid('The security token is not valid');
  requireSigned(request, claimed);
  const [hash = ''] = one(request, 'x-amz-content-sha256') ?? [];
  if (hash && hash !== createHash('sha256').update(request.body).digest('hex')) {
    throw invalid('x-amz-content-sha256 is not the hash of the body');
  }
  if (!isSame(await signatureOf(request, claimed, principal, region), claimed.signature)) throw invalid();
  return principal;
}

const form =
  /^AWS4-HMAC-SHA256\s+Credential=(?<key>[^/,\s]+)\/(?<day>\d{8})\/(?<region>[^/,\s]+)\/(?<service>[^/,\s]+)\/aws4_request,\s*SignedHeaders=(?<headers>[^,\s]+),\s*Signature=(?<signature>[\da-f]{64})$/;

function readClaim(request: GatewayRequest, region: string): Claimed {
  const [authorization = ''] = one(request, 'authorization') ?? [];
  if (!authorization.startsWith('AWS4-')) throw new GatewayRefusal('MISSING_AUTHENTICATION_TOKEN');
  const claim = form.exec(authorization)?.groups;
  const signedAt = dateOf(one(request, 'x-amz-date')?.[0] ?? '');
  if (!claim || !signedAt) throw invalid('The header Authorization or X-Amz-Date is malformed');
  const { key = '', day = '', headers = '', signature = '' } = claim;
  if (claim['region'] !== region || claim['service'] !== 'execute-api' || day !== compact(signedAt).slice(0, 8)) {
    throw invalid(`The credential has to be scoped to ${compact(signedAt).slice(0, 8)}/${region}/execute-api`);
  }
  return { accessKeyId: key, signedHeaders: headers.split(';'), signature, signedAt };
}

/** Whoever can change a header that is not signed must change nothing by it. */
function requireSigned(request: GatewayRequest, { signedHeaders }: Claimed): void {
  const amazon = Object.keys(request.headers).filter((name) => /^x-amz-/i.test(name));
  const missing = ['host', ...amazon].find((name) => !signedHeaders.includes(name.toLowerCase()));
  if (missing !== undefined) throw invalid(`The header ${missing} is not signed`);
}

/** What the signature would be, had the principal signed this request. */
async function signatureOf(
  { method, path, query = {}, headers, body }: GatewayRequest,
  { signedHeaders, signedAt }: Claimed,
  credentials: Principal,
  region: string,
): Promise<string> {
  const signer = new SignatureV4({ service: 'execute-api', region, credentials, sha256: Sha256, applyChecksum: false });
  const signed = signedHeaders.map((name) => [name, headerValues(headers, name).join(',')] as const);
  const multiValues = Object.entries(query).map(([name, values]): [string, string[]] => [name, [...values]]);
  const { headers: made } = await signer.sign(
    {
      method,
      protocol: 'http:',
      hostname: '',
      path,
      query: Object.fromEntries(multiValues),
      headers: Object.fromEntries(signed),
      body,
    },
    { signingDate: signedAt, signableHeaders: new Set(signedHeaders) },
  );
  return made['authorization']?.split('Signature=')[1] ?? '';
}

/** The value of a header that may be there once. */
function one({ headers }: GatewayRequest, name: string): readonly [string] | undefined {
  const [value, ...others] = headerValues(headers, name);
  if (others.length > 0) throw invalid(`The header ${name} comes more than once`);
  return value === undefined ? undefined : [value];
}

/** `20260102T030405Z`, as signatures spell a time. */
function dateOf(text: string): Date | undefined {
  const iso = text.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const date = new Date(iso);
  return iso === text || Number.isNaN(date.getTime()) ? undefined : date;
}
const compact = (date: Date): string => date.toISOString().replaceAll(/[-:]|\.\d+/g, '');

const invalid = (reason?: string): GatewayRefusal => new GatewayRefusal('INVALID_SIGNATURE', reason);

/** Takes as long whatever the difference. */
function isSame(a: string, b: string): boolean {
  const [left, right] = [a, b].map((text) => createHash('sha256').update(text).digest());
  return left !== undefined && right !== undefined && timingSafeEqual(left, right);
}
