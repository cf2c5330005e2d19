import { expect, test } from 'vitest';
import * as z from 'zod';
import { AppError, type ErrorItem } from '../../../shared/errors/index.ts';
import { changesOf, flag, id, pageQuery, text, validateRequest } from '../../../shared/http/index.ts';
import { apiEvent, type EventOptions } from '../../helpers/api-gateway.ts';

const description = {
  summary: 'Test',
  path: z.object({ projectId: id }),
  query: z.strictObject({ ...pageQuery, archived: flag.optional() }),
  body: z.strictObject({ name: text(1, 5), tags: z.array(z.string()).optional() }),
};
const projectId = '018f6e3c-0000-7000-8000-000000000001';
const request = (options: Partial<EventOptions>) =>
  validateRequest(
    apiEvent({ route: 'POST /projects/{projectId}', path: { projectId }, body: { name: 'a' }, ...options }),
    description,
    1000,
  );
const problems = (options: Partial<EventOptions>): readonly ErrorItem[] => {
  try {
    request(options);
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error.code).toBe('validation-failed');
    return error.errors;
  }
};
const pointers = (options: Partial<EventOptions>) => problems(options).map(({ pointer }) => pointer);

test('What is valid arrives parsed, with defaults, and trimmed', () => {
  expect(request({ query: { archived: 'true' }, body: { name: ' ab ' } })).toEqual({
    path: { projectId },
    query: { limit: 20, archived: true },
    body: { name: 'ab' },
  });
});

test('Ids are compared in lower case', () => {
  expect(request({ path: { projectId: projectId.toUpperCase() } }).path).toEqual({ projectId });
});

test('Every problem is listed, with a pointer to its value', () => {
  const options = {
    path: { projectId: '42' },
    query: { limit: '0', archived: 'maybe' },
    body: { name: 1, tags: ['a', 2] },
  };
  expect(pointers(options)).toEqual([
    '#/path/projectId',
    '#/query/limit',
    '#/query/archived',
    '#/body/name',
    '#/body/tags/1',
  ]);
});

test('Unknown fields and parameters are refused, each by its name', () => {
  expect(pointers({ body: { name: 'a', tenant_id: 'globex', 'a/b~c': 1 }, query: { colour: 'red' } })).toEqual([
    '#/query/colour',
    '#/body/tenant_id',
    '#/body/a~1b~0c',
  ]);
});

test('A parameter that is given twice is refused instead of one being chosen', () => {
  expect(pointers({ query: { limit: ['1', '2'] } })).toEqual(['#/query/limit']);
});

test.each(['0', '101', '-1', '1.5', '1e1', '0x10', '', ' 5', '٣'])('The limit %j is refused', (limit) => {
  expect(pointers({ query: { limit } })).toEqual(['#/query/limit']);
});

test('The keys __proto__ and constructor are unknown fields and change nothing', () => {
  expect(
    pointers({ body: '{"name":"a","__proto__":{"polluted":true},"constructor":{"prototype":{"polluted":true}}}' }),
  ).toEqual(['#/body/__proto__', '#/body/constructor']);
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
});

test('Text that Postgres cannot store is refused where it is', () => {
  expect(pointers({ body: { name: 'a\u0000' } })).toEqual(['#/body/name']);
  expect(pointers({ body: '{"name":"a","tags":["ok","\\ud800"]}' })).toEqual(['#/body/tags/1']);
});

test('An answer lists twenty problems at most, with short pointers', () => {
  const body = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`${at}${'x'.repeat(200)}`, 1]));
  const listed = pointers({
    body: JSON.stringify({ name: 'a', ...body })
      .slice(0, 900)
      .replace(/,[^,]*$/, '}'),
  });
  expect(listed.length).toBeLessThanOrEqual(20);
  expect(Math.max(...listed.map((pointer) => pointer.length))).toBeLessThan(120);
});

test.each([null, [], 'text', 42, true])('A body %j instead of an object is refused', (body) => {
  expect(pointers({ body: JSON.stringify(body) })).toEqual(['#/body']);
});

test('Changes must change something; a version alone does not', () => {
  const changes = changesOf(z.strictObject({ name: text(1, 5) }));
  expect(changes.safeParse({ name: 'a', version: 3 }).data).toEqual({ name: 'a', version: 3 });
  expect(changes.safeParse({ name: 'a' }).success).toBe(true);
  for (const refused of [{}, { version: 3 }, { name: 'a', other: 1 }, { name: 'a', version: 0 }]) {
    expect(changes.safeParse(refused).success).toBe(false);
  }
});

test('what a route has no use for is refused in a body, and nothing is a good body of such a route', () => {
  const without = { summary: 'Test', path: description.path };
  const send = (body: unknown, route = 'POST /projects/{projectId}'): unknown =>
    validateRequest(apiEvent({ route, path: { projectId }, ...(body !== undefined && { body }) }), without, 1000);
  for (const body of [undefined, '', {}, ' { } ']) expect(send(body)).toMatchObject({ path: { projectId } });
  for (const body of [{ reason: 'x' }, [], 'garbage', 'null']) expect(() => send(body)).toThrow(AppError);
  expect(send({ a: 1 }, 'GET /projects/{projectId}')).toMatchObject({ path: { projectId } });
});
