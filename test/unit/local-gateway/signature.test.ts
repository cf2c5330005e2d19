import { describe, expect, test } from 'vitest';
import { awsSigner } from '../../../cli/api/signer.ts';
import { GatewayRefusal } from '../../../local/gateway/gateway-responses.ts';
import type { Principal } from '../../../local/gateway/principals.ts';
import type { GatewayRequest } from '../../../local/gateway/request.ts';
import { verifySignature } from '../../../local/gateway/signature.ts';
import { request } from './api-definition.ts';

const region = 'eu-central-1';
const principal: Principal = {
  accessKeyId: 'AKIAEXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI',
  accountId: '111122223333',
  userArn: 'arn:aws:iam::111122223333:user/olga',
  userId: 'AIDAEXAMPLE',
  mayInvoke: true,
};
const session: Principal = {
  ...principal,
  accessKeyId: 'ASIAEXAMPLE',
  sessionToken: 'token-of-the-session',
  userArn: 'arn:aws:sts::111122223333:assumed-role/deployer/run-42',
};
const body = '{"plan":"pro"}';

/** A request as the operators' command signs it. */
async function signed(
  by: Principal = principal,
  { signRegion = region, extra = {} }: { signRegion?: string; extra?: Record<string, string> } = {},
): Promise<GatewayRequest> {
  const url = new URL('http://127.0.0.1:3000/dev/tenants/acme/change-plan?cursor=a%2Fb%20c&a=1&a=0');
  const headers = { 'content-type': 'application/json', 'idempotency-key': 'k-1', ...extra };
  const sent = await awsSigner(signRegion, by)({ method: 'POST', url, headers, body });
  return request({
    method: 'POST',
    path: url.pathname,
    query: { cursor: ['a/b c'], a: ['1', '0'] },
    headers: { Host: [url.host], ...Object.fromEntries(Object.entries(sent).map(([name, value]) => [name, [value]])) },
    body: Buffer.from(body),
  });
}

const verify = (from: GatewayRequest, now = new Date()) =>
  verifySignature(from, { principals: [principal, session], region, now });
const refusalOf = async (from: GatewayRequest, now?: Date): Promise<string> => {
  const error = await verify(from, now).then(
    () => 'let in',
    (reason: unknown) => reason,
  );
  return error instanceof GatewayRefusal ? error.responseType : String(error);
};
const withHeader = (from: GatewayRequest, name: string, values: readonly string[]): GatewayRequest => {
  const others = Object.entries(from.headers).filter(([known]) => known.toLowerCase() !== name);
  return { ...from, headers: { ...Object.fromEntries(others), ...(values.length > 0 && { [name]: values }) } };
};

describe('a signature', () => {
  test('names the principal whose key made it', async () => {
    expect(await verify(await signed())).toBe(principal);
    expect(await verify(await signed(session))).toBe(session);
  });

  test('made by curl --aws-sigv4 is as good', async () => {
    const byCurl = request({
      method: 'POST',
      path: '/tenants/acme/change-plan',
      headers: {
        Host: ['127.0.0.1:32963'],
        Authorization: [
          'AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE/20261123/eu-central-1/execute-api/aws4_request, SignedHeaders=content-type;host;idempotency-key;x-amz-date, Signature=afdb14b5864c390028957a466ad5f358bd1783a8585e04768ae3f1ce2a6c16ce',
        ],
        'X-Amz-Date': ['20261123T181546Z'],
        'User-Agent': ['curl/7.88.1'],
        'Content-Type': ['application/json'],
        'Idempotency-Key': ['k-1'],
      },
      query: { a: ['x y'], b: ['2'] },
      body: Buffer.from(body),
    });
    expect(await verify(byCurl, new Date('2026-11-23T18:16:00Z'))).toBe(principal);
    expect(await refusalOf({ ...byCurl, query: { b: ['2'], a: ['x'] } }, new Date('2026-11-23T18:16:00Z'))).toBe(
      'INVALID_SIGNATURE',
    );
  });

  test.each<[string, (from: GatewayRequest) => GatewayRequest]>([
    ['method', (from) => ({ ...from, method: 'GET' })],
    ['path', (from) => ({ ...from, path: '/dev/tenants/globex/change-plan' })],
    ['query', (from) => ({ ...from, query: { ...from.query, a: ['1', '2'] } })],
    ['body', (from) => ({ ...from, body: Buffer.from('{"plan":"free"}') })],
    [
      'body, with a hash that fits',
      (from) => ({ ...withHeader(from, 'x-amz-content-sha256', []), body: Buffer.alloc(0) }),
    ],
    ['host', (from) => withHeader(from, 'host', ['elsewhere'])],
    ['signed header', (from) => withHeader(from, 'idempotency-key', ['k-2'])],
    ['signed header, doubled', (from) => withHeader(from, 'idempotency-key', ['k-1', 'k-2'])],
    ['header that is missing in the signature', (from) => withHeader(from, 'x-amz-meta', ['a'])],
    ['date', (from) => withHeader(from, 'x-amz-date', ['20261123T181402Z'])],
    ['date that is missing', (from) => withHeader(from, 'x-amz-date', [])],
    ['session token of somebody', (from) => withHeader(from, 'x-amz-security-token', ['token-of-the-session'])],
    [
      'signature',
      (from) =>
        withHeader(from, 'authorization', [
          String(from.headers['authorization']?.[0]).replace(/.$/, (last) => (last === '0' ? '1' : '0')),
        ]),
    ],
    [
      'header with half of it',
      (from) => withHeader(from, 'authorization', ['AWS4-HMAC-SHA256 Credential=AKIAEXAMPLE']),
    ],
    [
      'header twice',
      (from) => withHeader(from, 'authorization', [...(from.headers['authorization'] ?? []), 'Bearer x']),
    ],
  ])('is for nothing with another %s', async (_, change) => {
    const before = await signed();
    expect(await refusalOf(before)).toBe('let in');
    expect(await refusalOf(change(before))).toBe('INVALID_SIGNATURE');
  });

  test('is good for five minutes before and after', async () => {
    const request_ = await signed();
    const at = (minutes: number) => refusalOf(request_, new Date(Date.now() + minutes * 60_000));
    expect([await at(-4), await at(4)]).toEqual(['let in', 'let in']);
    expect([await at(-6), await at(6)]).toEqual(['INVALID_SIGNATURE', 'INVALID_SIGNATURE']);
  });

  test('is good in one Region and for one service', async () => {
    expect(await refusalOf(await signed(principal, { signRegion: 'eu-west-1' }))).toBe('INVALID_SIGNATURE');
  });

  test.each<[string, Principal]>([
    ['an unknown key', { ...principal, accessKeyId: 'AKIAOTHER' }],
    ['another secret', { ...principal, secretAccessKey: 'guessed' }],
    ['the keys of a session without its token', { ...principal, accessKeyId: session.accessKeyId }],
    ['another session token', { ...session, sessionToken: 'old' }],
  ])('by %s is refused', async (_, by) => {
    expect(await refusalOf(await signed(by))).toBe('INVALID_SIGNATURE');
  });

  test('that is not there is missed, whatever else the request says of its sender', async () => {
    const unsigned = request({
      headers: {
        Host: ['h'],
        Authorization: ['Bearer x'],
        'x-amzn-identity': ['{"userArn":"arn:aws:iam::111122223333:user/olga"}'],
      },
    });
    expect(await refusalOf(unsigned)).toBe('MISSING_AUTHENTICATION_TOKEN');
    expect(await refusalOf(withHeader(unsigned, 'authorization', []))).toBe('MISSING_AUTHENTICATION_TOKEN');
  });
});
