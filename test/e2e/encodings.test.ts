import { beforeAll, describe, expect, test } from 'vitest';
import { expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';

let token: string;
beforeAll(async () => {
  token = await tokenOf('acme');
});

const errorsOf = (pointer: string) => ({
  errors: [{ pointer, detail: expect.stringMatching(/./) }],
});
const types = ['application/json', 'application/json; charset=utf-8', 'Application/JSON;charset="UTF-8"'];

describe.each(types)('a body of type %s', (type) => {
  const headers = { 'Content-Type': type };

  test('in UTF-8 is stored to the letter', async () => {
    const name = `Zoë 🚀 \uFFFD ${crypto.randomUUID()}`;
    const { status, json } = await send('POST', '/projects', { token, headers, body: { name } });
    expect(status).toBe(201);
    expect(field(json, 'name')).toBe(name);
  });

  test.each([
    ['bytes that are no UTF-8', [0xff, 0xfe]],
    ['Latin-1', [0x5a, 0x6f, 0xeb]],
    ['half of a surrogate pair', [0xed, 0xa0, 0x80]],
    ['an overlong encoding', [0xc0, 0xaf]],
  ])('with %s is refused', async (_name, bytes) => {
    const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from(bytes), Buffer.from('"}')]);
    expectProblem(await send('POST', '/projects', { token, headers, body }), 400, 'body-not-json');
  });
});

describe('a value that cannot be read is pointed at', () => {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const id = crypto.randomUUID();

  test.each([
    ['/projects?limit=%zz', '#'],
    ['/projects/%zz', '#'],
    ['/projects/%ff', '#'],
    [`/projects?cursor=${encode(['2026-01-01T00:00:00+16:00', id])}`, '#/query/cursor'],
    [`/projects?cursor=${encode([`2026-01-01T00:00:00.${'1'.repeat(300)}+00:00`, id])}`, '#/query/cursor'],
  ])('%s', async (path, pointer) => {
    const answer = await send('GET', path, { token });
    expectProblem(answer, 400, 'validation-failed');
    expect(answer.json).toMatchObject(errorsOf(pointer));
  });

  test('a day that Postgres does not have', async () => {
    const body = { title: 'a', dueOn: '0000-01-01' };
    const answer = await send('POST', `/projects/${id}/tasks`, { token, body });
    expectProblem(answer, 400, 'validation-failed');
    expect(answer.json).toMatchObject(errorsOf('#/body/dueOn'));
  });

  test('two idempotency keys', async () => {
    const headers = { 'Idempotency-Key': ['one', 'another'] };
    const answer = await send('POST', '/projects', { token, headers, body: { name: crypto.randomUUID() } });
    expectProblem(answer, 400, 'validation-failed');
    expect(answer.json).toMatchObject(errorsOf('#/header/Idempotency-Key'));
  });
});
