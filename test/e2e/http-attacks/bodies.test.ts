import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { field } from '../../helpers/api-client.ts';
import { type Attack, plantTarget } from './canary.ts';

const target = plantTarget();
const notJson = [400, 'body-not-json'] as const;
const invalid = [400, 'validation-failed'] as const;
const wrongType = [415, 'unsupported-media-type'] as const;
const tooLarge = [413, 'body-too-large'] as const;

const post = (
  body: string | Buffer,
  answer: Attack['answer'],
  headers: Readonly<Record<string, string | readonly string[]>> = {},
) =>
  target().attack({
    method: 'POST',
    request: { token: target().token, body, headers: { 'Content-Type': 'application/json', ...headers } },
    answer,
  });
const name = () => `"name":"${target().mark} ${crypto.randomUUID()}"`;
const form = () => `name=${target().mark}&tenantId=globex`;

describe('a body of a confusing type', () => {
  test.each<[string, string | readonly string[]]>([
    ['text/json', 'text/json'],
    ['a JSON API', 'application/vnd.api+json'],
    ['JSONP', 'application/jsonp'],
    ['two types', 'application/json, text/plain'],
    ['two headers', ['application/json', 'text/plain']],
    ['any type', '*/*'],
    ['UTF-16', 'application/json; charset=utf-16'],
    ['UTF-7', 'application/json; charset=utf-7'],
    ['two charsets', 'application/json; charset=utf-8; charset=utf-16'],
    ['a form', 'application/x-www-form-urlencoded'],
    ['parts', 'multipart/form-data; boundary=application/json'],
    ['an event stream', 'text/event-stream'],
    ['a type that only begins alike', 'application/json-patch+json'],
    ['a type with a NUL in words', 'application/json%00'],
    ['no type in words', 'undefined'],
  ])('%s is refused', async (_, type) => {
    await post(`{${name()}}`, wrongType, { 'Content-Type': type });
  });

  test('that is not what the type says is refused', async () => {
    await post(form(), notJson);
    await post(gzipSync(`{${name()}}`), notJson, { 'Content-Encoding': 'gzip' });
    await post(Buffer.from(`{${name()}}`).toString('base64'), notJson);
    await post(Buffer.from(`{${name()}}`, 'utf16le'), notJson);
    await post(`\ufeff{${name()}}`, notJson);
    await post(`while(1);{${name()}}`, notJson);
    await post(`{${name()},}`, notJson);
    await post(`{${name()}}{"tenantId":"globex"}`, notJson);
    await post(`/* */{${name()}}`, notJson);
    await post(`{${name()},"a":NaN}`, notJson);
  });
});

describe('a body that would change what all objects have', () => {
  test.each([
    ['__proto__', '"__proto__":{"tenantId":"globex","description":"polluted"}'],
    ['__proto__ within', '"description":{"__proto__":{"tenantId":"globex"}}'],
    ['constructor', '"constructor":{"prototype":{"tenantId":"globex","description":"polluted"}}'],
    ['prototype', '"prototype":{"tenantId":"globex"}'],
    ['toString', '"toString":"globex"'],
    ['hasOwnProperty', '"hasOwnProperty":1'],
    ['the tenant', '"tenantId":"globex"'],
    ['the column of the tenant', '"tenant_id":"globex"'],
    ['the id', '"id":"01890000-0000-7000-8000-000000000000"'],
  ])('by %s is refused, and the next is as it was', async (_, member) => {
    await post(`{${name()},${member}}`, invalid);
    const { json } = await post(`{${name()}}`, 201);
    expect(field(json, 'description')).toBeNull();
    expect(json).not.toHaveProperty('tenantId');
  });
});

describe('a body of values that nothing can hold', () => {
  test.each([
    ['a NUL', '{"name":"attack\\u0000"}'],
    ['half of a surrogate pair', '{"name":"attack\\ud800"}'],
    ['a number past all numbers', '{"name":1e999}'],
    ['a list', '{"name":["attack"]}'],
    ['an object', '{"name":{"$ne":null}}'],
    ['an empty name', '{"name":""}'],
    ['a key longer than anything', `{"name":"attack","${'k'.repeat(200_000)}":1}`],
    ['twenty thousand fields', `{"name":"attack",${Array.from({ length: 20_000 }, (_, at) => `"f${at}":1`).join()}}`],
    ['a list for an object', '[]'],
    ['null', 'null'],
    ['a number', '7'],
  ])('%s is refused', async (_, body) => {
    await post(body, invalid);
  });

  test('nested deeper than a parser likes is refused, at every size', async () => {
    await post('['.repeat(33), invalid);
    await post(`${'{"a":'.repeat(40_000)}1${'}'.repeat(40_000)}`, invalid);
    await post('['.repeat(250_000), invalid);
    await post('['.repeat(300_000), tooLarge);
    await post('{"a":'.repeat(2_000_000), tooLarge);
  });

  test('names that come twice count once, for our own tenant', async () => {
    const { mark } = target();
    const { json } = await post(`{"name":"first","name":"${mark} last"}`, 201);
    expect(field(json, 'name')).toBe(`${mark} last`);
  });
});

describe('SQL in a body stays text', () => {
  test.each([
    `'; update projects set name = 'taken' where tenant_id = 'globex'; --`,
    `%1$L`,
    `$$ || tenant_id || $$`,
    `\\'; drop table projects`,
  ])('and is stored as it was sent: %s', async (sql) => {
    const text = `${target().mark} ${sql}`;
    const { json } = await post(JSON.stringify({ name: text, description: sql }), 201);
    expect(field(json, 'name')).toBe(text);
  });
});

test('rows of another are reached by no body', async () => {
  const { projectId, taskId } = target();
  for (const [path, body] of [
    [`/projects/${projectId}`, { name: 'taken' }],
    [`/projects/${projectId}/tasks/${taskId}`, { title: 'taken' }],
  ] as const)
    await target().attack({
      method: 'PATCH',
      path,
      request: { token: target().token, body },
      answer: [404, 'not-found'],
    });
});
