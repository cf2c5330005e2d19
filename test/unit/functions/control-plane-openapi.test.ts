import { Validator } from '@seriousme/openapi-schema-validator';
import { expect, test } from 'vitest';
import { controlPlaneDocument } from '../../../functions/control-plane/document.ts';
import { controlServices } from '../../../shared/contract/index.ts';
import { followReference } from '../../helpers/follow-reference.ts';

interface Operation {
  readonly security?: unknown;
  readonly parameters?: readonly { name: string; schema: Readonly<Record<string, unknown>> }[];
  readonly responses: Readonly<Record<string, { description: string; headers?: object }>>;
}
const document = JSON.parse(JSON.stringify(controlPlaneDocument())) as {
  paths: Record<string, Record<string, Operation>>;
  security: unknown;
  components: { schemas: Record<string, { properties?: object }> };
};
const described = Object.entries(document.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ route: `${method.toUpperCase()} ${path}`, operation })),
);

test('Every announced route of the control plane is described, and nothing else is', () => {
  expect(described.map(({ route }) => route).toSorted()).toEqual(Object.values(controlServices).flat().toSorted());
});

test('The control plane’s document is valid OpenAPI 3.1', async () => {
  expect(await new Validator().validate(structuredClone(document))).toEqual({ valid: true });
});

test.each(described)('$route is for operators, who have no limits to be told of', ({ operation }) => {
  expect(operation.security).toBeUndefined();
  const refused = followReference(document, operation.responses['403'] ?? { description: '' });
  expect(refused.description).toBe('`operator-only`: Only operators may do this.');
  expect(Object.keys(operation.responses['200']?.headers ?? {})).not.toContain('RateLimit');
});

test('A list of tenants can be filtered, and is described as it is asked for', () => {
  const parameters = document.paths['/tenants']?.['get']?.parameters ?? [];
  expect(Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]))).toMatchObject({
    limit: { type: 'integer', maximum: 100 },
    cursor: { type: 'string' },
    plan: { enum: ['free', 'pro', 'enterprise'] },
    state: { enum: ['onboarding', 'active', 'suspended', 'offboarding'] },
    model: { enum: ['pool', 'bridge', 'silo'] },
  });
});

test('A tenant is described without its API key', () => {
  const properties = Object.keys(document.components.schemas['Tenant']?.properties ?? {});
  expect(properties).toEqual(['tenantId', 'name', 'plan', 'limits', 'state', 'placement', 'createdAt', 'updatedAt']);
});
