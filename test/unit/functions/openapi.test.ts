import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import * as z from 'zod';
import { describedApis, openapiDocument } from '../../../functions/openapi/document.ts';
import { publicServices, type Route, services } from '../../../shared/contract/index.ts';
import { errorCatalogue } from '../../../shared/errors/index.ts';
import { toPage } from '../../../shared/http/index.ts';
import { followReference, type Reference } from '../../helpers/follow-reference.ts';

interface Response {
  description: string;
  content?: Record<string, unknown>;
}
interface Operation {
  operationId: string;
  security?: unknown[];
  parameters?: { name: string; in: string; required?: boolean; schema: Record<string, unknown> }[];
  requestBody?: { content: Record<string, { schema: { additionalProperties?: boolean } }> };
  responses: Record<string, Response | Reference>;
}
const document = JSON.parse(JSON.stringify(openapiDocument())) as {
  openapi: string;
  paths: Record<string, Record<string, Operation>>;
  security: unknown;
  components: { schemas: Record<string, unknown>; securitySchemes: Record<string, unknown> };
};
const announced = Object.entries({ ...services, ...publicServices }).flatMap(([, routes]) => [...routes]);
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({
    route: `${method.toUpperCase()} ${path}`,
    path,
    method,
    operation,
  })),
);
const operationOf = (route: string): Operation => {
  const found = described.find((candidate) => candidate.route === route);
  if (!found) throw new Error(`${route} is not described.`);
  return found.operation;
};

test('Every announced route is described, and nothing else is', () => {
  expect(described.map(({ route }) => route).toSorted()).toEqual(announced.toSorted());
  expect(describedApis.map(({ service }) => service).toSorted()).toEqual(
    Object.keys({ ...services, ...publicServices }).toSorted(),
  );
});

test('It is a valid OpenAPI 3.1 document', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
  expect(document.openapi).toBe('3.1.0');
});

test('Its references all resolve', () => {
  const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path]) => path ?? '');
  expect(references).not.toEqual([]);
  for (const reference of references) {
    const target = reference.split('/').reduce<unknown>((at, key) => (at as Record<string, unknown>)[key], document);
    expect(target, reference).toBeDefined();
  }
});

test('Operation ids are unique', () => {
  const ids = described.map(({ operation }) => operation.operationId);
  expect(new Set(ids).size).toBe(ids.length);
  expect(ids).toContain('getProjectsByProjectIdTasks');
});

test.each(described)('$route describes each of its path parameters as a required UUID', ({ path, operation }) => {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
  const parameters = (operation.parameters ?? []).filter((parameter) => parameter.in === 'path');
  expect(parameters.map(({ name }) => name)).toEqual(names);
  for (const parameter of parameters) {
    expect(parameter).toMatchObject({ required: true, schema: { type: 'string', format: 'uuid' } });
  }
});

test.each(described)('$route describes one success, and problems with codes of the catalogue', ({ operation }) => {
  const statuses = Object.keys(operation.responses);
  expect(statuses.filter((status) => status.startsWith('2'))).toHaveLength(1);
  const problems = Object.entries(operation.responses).filter(([status]) => !status.startsWith('2'));
  expect(problems.map(([status]) => status)).toContain('500');
  for (const [status, response] of problems) {
    const { description, content } = followReference(document, response);
    expect(Object.keys(content ?? {})).toEqual(['application/problem+json']);
    const codes = [...description.matchAll(/`([a-z-]+)`/g)].map(([, code]) => code as keyof typeof errorCatalogue);
    expect(codes.map((code) => String(errorCatalogue[code].status))).toEqual(codes.map(() => status));
  }
});

test('Tenants authenticate with a bearer token; the document itself needs none', () => {
  expect(document.security).toEqual([{ bearer: [] }]);
  expect(document.components.securitySchemes).toMatchObject({ bearer: { type: 'http', scheme: 'bearer' } });
  expect(operationOf('GET /openapi.json').security).toEqual([]);
  expect(operationOf('GET /projects')).not.toHaveProperty('security');
});

test('POST takes an optional Idempotency-Key, and bodies refuse unknown fields', () => {
  for (const { route, method, operation } of described) {
    const key = operation.parameters?.find(({ name }) => name === 'Idempotency-Key');
    if (method === 'post') expect(key, route).toMatchObject({ in: 'header' });
    else expect(key, route).toBeUndefined();
    expect(key?.required ?? false).toBe(false);
    if (operation.requestBody) {
      expect(operation.requestBody.content['application/json']?.schema.additionalProperties, route).toBe(false);
    }
  }
});

test('Query parameters are described as what clients send', () => {
  const parameters = operationOf('GET /projects').parameters ?? [];
  expect(Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]))).toEqual({
    limit: { type: 'integer', minimum: 1, maximum: 100, default: 20, description: expect.any(String) },
    cursor: { type: 'string', description: expect.any(String) },
    archived: { type: 'boolean' },
  });
  expect(parameters.every(({ required }) => !required)).toBe(true);
});

const uuid = '0199d5c0-0000-7000-8000-000000000000';
const cursor = toPage(
  [
    { id: uuid, createdAt: '2026-01-01T00:00:00.5+00:00' },
    { id: uuid, createdAt: '' },
  ],
  {
    limit: 1,
  },
).nextCursor;
/** What clients write into requests, by parameter, and what it means in JSON. */
const samples: Record<string, [text: string, value: unknown][]> = {
  projectId: [[uuid, uuid]],
  taskId: [[uuid, uuid]],
  limit: [
    ['1', 1],
    ['100', 100],
  ],
  cursor: [[cursor ?? '', cursor]],
  archived: [
    ['true', true],
    ['false', false],
  ],
  status: [['open', 'open']],
  assignee: [['ann', 'ann']],
};

test.each(described)('$route accepts the same values of parameters as its description', ({ route, operation }) => {
  for (const { name, in: place, schema } of operation.parameters ?? []) {
    if (place === 'header') continue;
    const part = describedApis.map(({ routes }) => routes[route as Route]?.[place as 'path' | 'query']).find(Boolean);
    const field = part?.shape[name] as z.ZodType | undefined;
    const given = samples[name] ?? expect.fail(`${name} has no sample.`);
    for (const [text, value] of given) {
      expect(field?.safeParse(text), `the API, ${name}=${text}`).toMatchObject({ success: true });
      expect(z.fromJSONSchema(schema).safeParse(value), `the document, ${name}=${text}`).toMatchObject({
        success: true,
      });
    }
  }
});
