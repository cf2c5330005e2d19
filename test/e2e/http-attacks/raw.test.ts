import { connect } from 'node:net';
import { describe, expect, inject, test } from 'vitest';
import { plantTarget } from './canary.ts';

/**
 * Bytes that no client library sends. Whatever is no HTTP is refused by the server before there is a request, hence without problem
 * details, as by API Gateway's own front.
 */
const target = plantTarget();

/** Sends bytes over a connection of their own; all that comes back until the server closes it or falls silent. */
async function exchange(text: string): Promise<string> {
  const url = new URL(inject('stack').apiUrl);
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = '';
  const socket = connect(Number(url.port), url.hostname, () => socket.write(Buffer.from(text, 'latin1')));
  socket.setTimeout(1_500, () => socket.destroy());
  socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
  socket.on('error', () => undefined);
  socket.on('close', () => resolve(received));
  return promise;
}

const statusesOf = (answer: string): number[] =>
  [...answer.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map(([, status]) => Number(status));

/** Lines of a request with the attacker's token, and what they say. */
const request = (first: string, ...headers: string[]): string =>
  [first, 'Host: 127.0.0.1', `Authorization: Bearer ${target().token}`, ...headers, '', ''].join('\r\n');

describe('what is no HTTP', () => {
  test.each<[string, () => string]>([
    ['two lengths', () => `${request('POST /projects HTTP/1.1', 'Content-Length: 2', 'Content-Length: 40')}{}`],
    [
      'a length and chunks',
      () =>
        `${request('POST /projects HTTP/1.1', 'Content-Length: 4', 'Transfer-Encoding: chunked')}0\r\n\r\nGET /projects/${target().projectId} HTTP/1.1\r\n\r\n`,
    ],
    ['chunks of another name', () => `${request('POST /projects HTTP/1.1', 'Transfer-Encoding: xchunked')}0\r\n\r\n`],
    [
      'a chunk of no size',
      () => `${request('POST /projects HTTP/1.1', 'Transfer-Encoding: chunked')}zz\r\n{}\r\n0\r\n\r\n`,
    ],
    ['a blank before the colon', () => request('GET /projects HTTP/1.1', 'X-Tenant-ID : globex')],
    ['a folded header', () => request('GET /projects HTTP/1.1', 'X-Tenant-ID:', ' globex')],
    ['a NUL in a header', () => request('GET /projects HTTP/1.1', 'X-Tenant-ID: acme\0globex')],
    [
      'a carriage return in a header',
      () => request('GET /projects HTTP/1.1', 'X-Tenant-ID: acme\rX-Tenant-ID: globex'),
    ],
    ['a header without a name', () => request('GET /projects HTTP/1.1', ': globex')],
    ['a path with a blank', () => request(`GET /projects /${target().projectId} HTTP/1.1`)],
    ['another version', () => request('GET /projects HTTP/9.9')],
    ['headers longer than anything', () => request('GET /projects HTTP/1.1', `X-Tenant-ID: ${'globex'.repeat(5_000)}`)],
    ['no request', () => '\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03'],
  ])('is refused, and reaches no row of another: %s', async (_, make) => {
    const answer = await exchange(make());
    const [status = 0] = statusesOf(answer);
    expect([400, 431], answer).toContain(status);
    expect(statusesOf(answer)).toHaveLength(1);
    await target().expectUntouched(answer);
  });

  test('bytes in a path that are no ASCII', async () => {
    const answer = await exchange(request('GET /projects/\xff\xfe HTTP/1.1', 'Connection: close'));
    expect([400, 404]).toContain(statusesOf(answer)[0]);
    await target().expectUntouched(answer);
  });
});

test('requests that are sent in one go are answered each for its own token', async () => {
  const { token, foreignToken, projectId } = target();
  const get = (bearer: string, ...headers: string[]) =>
    [
      `GET /projects/${projectId} HTTP/1.1`,
      'Host: 127.0.0.1',
      `Authorization: Bearer ${bearer}`,
      ...headers,
      '',
      '',
    ].join('\r\n');
  const answer = await exchange(get(token) + get(foreignToken) + get(token, 'Connection: close'));
  expect(statusesOf(answer)).toEqual([404, 200, 404]);
});
