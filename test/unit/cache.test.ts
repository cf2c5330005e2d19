import { deflateRawSync } from 'node:zlib';
import { afterEach, describe, expect, it, vi } from 'vitest';
import * as z from 'zod';
import { elastiCacheLogin } from '../../shared/cache/elasticache-iam.ts';
import { parseCacheUrl } from '../../shared/cache/endpoint.ts';
import { cacheConnection } from '../../shared/cache/index.ts';
import { decodePayload, encodePayload, notKept } from '../../shared/cache/payload.ts';

describe('parseCacheUrl', () => {
  it.each([
    ['redis://127.0.0.1:7000', { host: '127.0.0.1', port: 7000, tls: false, cluster: false }],
    ['redis://[::1]', { host: '::1', port: 6379, tls: false, cluster: false }],
    ['rediss://cache.test:6380?cluster=true', { host: 'cache.test', port: 6380, tls: true, cluster: true }],
    ['redis://u:p%40ss@h:1', { host: 'h', port: 1, tls: false, cluster: false, username: 'u', password: 'p@ss' }],
    [
      'rediss://h:1?cluster=true&iam=tenantry-dev&user=app&region=eu-central-1',
      {
        host: 'h',
        port: 1,
        tls: true,
        cluster: true,
        iam: { cacheName: 'tenantry-dev', user: 'app', region: 'eu-central-1' },
      },
    ],
  ])('reads %s', (url, endpoint) => {
    expect(parseCacheUrl(url)).toEqual(endpoint);
    expect(parseCacheUrl(new URL(url))).toEqual(endpoint);
  });

  it.each([
    ['http://h:1', 'must be redis://'],
    ['127.0.0.1:6379', 'must be redis://'],
    ['redis://', 'names no host'],
    ['rediss://h:1?iam=tenantry-dev&user=app', 'needs user= and region='],
    ['redis://h:1/2', 'have only database 0'],
    ['redis://h:1?cluster=1', 'neither true nor false'],
    ['redis://h:1?iam=tenantry-dev&user=app&region=eu-central-1', 'use rediss://'],
  ])('says what is wrong with %s', (url, problem) => {
    expect(() => parseCacheUrl(url)).toThrow(problem);
  });

  it('keeps the password out of the message', () => {
    expect(() => parseCacheUrl('http://u:hunter2@h')).toThrow(/^(?!.*hunter2)/);
  });
});

describe('a payload', () => {
  it('is not read when it swells to more than anybody has written', () => {
    const text = (megabytes: number) => JSON.stringify('x'.repeat(megabytes * 1_024 * 1_024));
    const payloadOf = (json: string) => `d${deflateRawSync(json).toString('base64')}`;
    expect(decodePayload(payloadOf(text(3)), z.string())?.value).toHaveLength(3 * 1_024 * 1_024);
    expect(decodePayload(payloadOf(text(5)), z.string())).toBeUndefined();
    expect(encodePayload('x'.repeat(5 * 1_024 * 1_024))).toBe(notKept);
  });
});

describe('cacheConnection', () => {
  it('is one for each URL, and opens nothing by itself', () => {
    const connection = cacheConnection('redis://127.0.0.1:1');
    expect(cacheConnection(new URL('redis://127.0.0.1:1'))).toBe(connection);
    expect(cacheConnection('redis://127.0.0.1:2')).not.toBe(connection);
    expect(connection.client.status).toBe('wait');
  });
});

describe('elastiCacheLogin', () => {
  const login = { cacheName: 'tenantry-dev', user: 'tenantry-dev-app', region: 'eu-central-1' };
  const credentials = { accessKeyId: 'AKID', secretAccessKey: 'secret', sessionToken: 'tok/en+==' };
  afterEach(() => void vi.useRealTimers());

  it('signs as botocore does', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-23T09:18:37Z') });
    const { username, password } = await elastiCacheLogin(login, () => Promise.resolve(credentials))();
    expect(username).toBe('tenantry-dev-app');
    const token = new URL(`https://${password}`);
    expect(token.host).toBe('tenantry-dev');
    expect(Object.fromEntries(token.searchParams)).toMatchObject({
      Action: 'connect',
      ResourceType: 'ServerlessCache',
      User: 'tenantry-dev-app',
      'X-Amz-Expires': '900',
      // Of botocore.auth.SigV4QueryAuth for the same request, moment and credentials.
      'X-Amz-Signature': '5d5330033d0cdf95c843ba43122bd14af2e7cb27f756e74d8d62db31772a8af9',
    });
  });

  it('uses a token for ten of its fifteen minutes', async () => {
    vi.useFakeTimers({ now: Date.parse('2026-11-23T09:18:37Z') });
    const next = elastiCacheLogin(login, () => Promise.resolve(credentials));
    const first = await next();
    vi.advanceTimersByTime(599_000);
    expect(await next()).toBe(first);
    vi.advanceTimersByTime(1_000);
    expect(await next()).not.toEqual(first);
  });

  it('tries again after a failure', async () => {
    let failures = 1;
    const next = elastiCacheLogin(login, () =>
      failures-- > 0 ? Promise.reject(new Error('No credentials yet.')) : Promise.resolve(credentials),
    );
    await expect(next()).rejects.toThrow('No credentials yet.');
    expect(await next()).toMatchObject({ username: 'tenantry-dev-app' });
  });
});
