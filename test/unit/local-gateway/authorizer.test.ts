import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Authorizer } from '../../../local/gateway/authorizer.ts';
import type { GatewayRequest } from '../../../local/gateway/request.ts';
import { request } from './api-definition.ts';

const arn = (route: string): string => `arn:aws:execute-api:eu-central-1:111122223333:api/test/${route}`;
const definition = { id: 'a', functionArn: 'authorizer', ttlSeconds: 300, identityHeaders: ['Authorization'] };

let answer: object;
let calls: number;

/** Answers what the test wants, and counts. */
const invoke = async () => {
  calls += 1;
  const isError = 'errorMessage' in answer;
  return { payload: JSON.stringify(answer), isError };
};

const allowing = (Resource: string) => ({
  principalId: 'user',
  policyDocument: { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }] },
  context: { tenantId: 'acme', count: 3, flag: true },
  usageIdentifierKey: 'key-of-acme',
});

const withToken = (...values: string[]): GatewayRequest => request({ headers: { authorization: values } });
const denied: object[] = [];
const ask = (authorizer: Authorizer, from: GatewayRequest, route = 'GET/projects') =>
  authorizer.authorize(
    from,
    arn(route),
    () => ({}),
    (context) => denied.push(context),
  );

beforeEach(() => {
  calls = 0;
  denied.length = 0;
  answer = allowing(arn('*'));
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('what the authorizer answered', () => {
  test('reaches the function as texts, with the key', async () => {
    const { context, usageIdentifierKey } = await ask(new Authorizer(definition, invoke), withToken('t'));
    expect(context).toMatchObject({ tenantId: 'acme', count: '3', flag: 'true', principalId: 'user' });
    expect(usageIdentifierKey).toBe('key-of-acme');
  });

  test('is replayed for the same token on every route, and for no other token', async () => {
    const authorizer = new Authorizer(definition, invoke);
    await ask(authorizer, withToken('t'), 'GET/projects');
    await ask(authorizer, withToken('t'), 'DELETE/projects/7');
    expect(calls).toBe(1);
    await ask(authorizer, withToken('u'));
    expect(calls).toBe(2);
  });

  test('is evaluated anew for each route: an Allow for one path does not open another', async () => {
    answer = allowing(arn('GET/projects'));
    const authorizer = new Authorizer(definition, invoke);
    await ask(authorizer, withToken('t'), 'GET/projects');
    await expect(ask(authorizer, withToken('t'), 'GET/tasks')).rejects.toMatchObject({ responseType: 'ACCESS_DENIED' });
    expect(calls).toBe(1);
    expect(denied).toMatchObject([{ tenantId: 'acme' }]);
  });

  test('is forgotten after its time, and when the cache is flushed', async () => {
    const authorizer = new Authorizer(definition, invoke);
    await ask(authorizer, withToken('t'));
    vi.advanceTimersByTime(299_000);
    await ask(authorizer, withToken('t'));
    expect(calls).toBe(1);
    vi.advanceTimersByTime(2_000);
    await ask(authorizer, withToken('t'));
    expect(calls).toBe(2);
    authorizer.flush();
    await ask(authorizer, withToken('t'));
    expect(calls).toBe(3);
  });

  test('is not kept when the cache is off', async () => {
    const authorizer = new Authorizer({ ...definition, ttlSeconds: 0 }, invoke);
    await ask(authorizer, withToken('t'));
    await ask(authorizer, withToken('t'));
    expect(calls).toBe(2);
  });

  test('is kept for all values of the header together, so that a second value is not served the first one’s answer', async () => {
    const authorizer = new Authorizer(definition, invoke);
    await ask(authorizer, withToken('t'));
    await ask(authorizer, withToken('t', 'u'));
    expect(calls).toBe(2);
  });
});

describe('a request is refused', () => {
  test.each<[string, GatewayRequest]>([
    ['without the header', request()],
    ['with an empty header', withToken('')],
  ])('without asking the authorizer: %s', async (_name, from) => {
    await expect(ask(new Authorizer(definition, invoke), from)).rejects.toMatchObject({ responseType: 'UNAUTHORIZED' });
    expect(calls).toBe(0);
  });

  test.each([
    [{ errorMessage: 'Unauthorized' }, 'UNAUTHORIZED'],
    [{ errorMessage: 'connect ECONNREFUSED' }, 'AUTHORIZER_FAILURE'],
    [{ principalId: 'u' }, 'AUTHORIZER_CONFIGURATION_ERROR'],
  ])('for the answer %j, which is not kept', async (wrong, responseType) => {
    const authorizer = new Authorizer(definition, invoke);
    answer = wrong;
    await expect(ask(authorizer, withToken('t'))).rejects.toMatchObject({ responseType });
    answer = allowing(arn('*'));
    await expect(ask(authorizer, withToken('t'))).resolves.toMatchObject({ usageIdentifierKey: 'key-of-acme' });
  });
});
