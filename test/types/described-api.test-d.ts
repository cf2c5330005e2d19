import { expectTypeOf, test } from 'vitest';
import type * as z from 'zod';
import { projectsApi } from '../../functions/projects/schema.ts';
import { describeApi, describePublicApi, type Handlers } from '../../shared/http/index.ts';

const summary = 'Test';
type ProjectHandlers = Handlers<(typeof projectsApi)['routes']>;

test('a service must describe each of its announced routes', () => {
  // @ts-expect-error the other four routes are missing
  describeApi('projects', { 'GET /projects': { summary } });
});

test('a service cannot describe a route that is not announced', () => {
  const routes = { 'GET /openapi.json': { summary }, 'GET /elsewhere': { summary } } as const;
  // @ts-expect-error GET /elsewhere is not announced
  describePublicApi('openapi', routes);
});

test('a service must be announced', () => {
  // @ts-expect-error there is no such service
  describeApi('invoices', {});
});

test('a handler gets what its route describes, parsed, and nothing else', () => {
  type Create = Parameters<ProjectHandlers['POST /projects']>[0];
  expectTypeOf<Create['body']['name']>().toEqualTypeOf<string>();
  expectTypeOf<Create>().not.toHaveProperty('path');
  expectTypeOf<Create>().not.toHaveProperty('query');
  type List = Parameters<ProjectHandlers['GET /projects']>[0];
  expectTypeOf<List['query']['limit']>().toEqualTypeOf<number>();
  expectTypeOf<List['query']['archived']>().toEqualTypeOf<boolean | undefined>();
  type Update = Parameters<ProjectHandlers['PATCH /projects/{projectId}']>[0];
  expectTypeOf<Update['path']['projectId']>().toEqualTypeOf<string>();
});

test('a handler must return what its route describes', () => {
  type Count = z.ZodObject<{ count: z.ZodInt }>;
  type Handler = Handlers<{ 'GET /openapi.json': { summary: string; response: Count } }>['GET /openapi.json'];
  expectTypeOf<() => { count: number }>().toExtend<Handler>();
  expectTypeOf<() => Promise<{ count: number }>>().toExtend<Handler>();
  expectTypeOf<() => { count: string }>().not.toExtend<Handler>();
  expectTypeOf<() => undefined>().not.toExtend<Handler>();
});

test('a route without a response returns nothing', () => {
  expectTypeOf<() => undefined>().toExtend<ProjectHandlers['DELETE /projects/{projectId}']>();
  expectTypeOf<() => string>().not.toExtend<ProjectHandlers['DELETE /projects/{projectId}']>();
});
