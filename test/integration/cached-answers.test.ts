import middy from '@middy/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import * as z from 'zod';
import type { RouteDescriptions } from '../../shared/http/index.ts';
import type { ApiEvent } from '../../shared/middleware/api-event.ts';
import { type CachedAnswers, cachedAnswers } from '../../shared/middleware/cached-answers.ts';
import { runWithTenant } from '../../shared/tenancy/index.ts';
import { apiEvent, type EventOptions, lambdaContext } from '../helpers/api-gateway.ts';
import { capabilityFor } from '../helpers/capability.ts';
import { startTestCache, type TestCache } from '../helpers/cache.ts';

const shape = { summary: 'Reads', response: z.object({ id: z.string() }) };
const cached = { ...shape, cached: { as: 'project-pages', seconds: 60 } } as const;
/** Described alike, and under one name. */
const routes: RouteDescriptions = { 'GET /projects': cached, 'GET /projects/{projectId}': cached };

describe('cached answers', () => {
  let test: TestCache;
  let answers: CachedAnswers;
  beforeAll(async () => {
    test = await startTestCache({ kind: 'embedded', cluster: false, name: 'embedded' });
    answers = cachedAnswers(routes, test.cache);
  });
  afterAll(() => test[Symbol.asyncDispose]());

  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  const answer = (request: EventOptions, id: string): Promise<unknown> => {
    const tenant = { tenantId: 'acme', plan: 'pro', placement, userId: 'u-1', roles: [] } as const;
    return runWithTenant({ ...tenant, capability: capabilityFor('acme') }, async () => {
      const chain = middy<ApiEvent, unknown>()
        .use(answers.begin as middy.MiddlewareObj<ApiEvent, unknown>)
        .handler((event) => {
          if (event.lookUp) event.cached = event.lookUp();
          return answers.around(event, async () => ({ id }));
        });
      return await chain({ ...apiEvent(request), route: request.route }, lambdaContext());
    });
  };

  it('are those of their route alone, also where routes share a name', async () => {
    expect(await answer({ route: 'GET /projects' }, 'list')).toEqual({ id: 'list' });
    expect(await answer({ route: 'GET /projects/{projectId}' }, 'one')).toEqual({ id: 'one' });
    expect(await answer({ route: 'GET /projects' }, 'other')).toEqual({ id: 'list' });
  });

  it('are those of their path alone', async () => {
    const route = 'GET /projects/{projectId}';
    expect(await answer({ route, path: { projectId: 'a' } }, 'a')).toEqual({ id: 'a' });
    expect(await answer({ route, path: { projectId: 'b' } }, 'b')).toEqual({ id: 'b' });
    expect(await answer({ route, path: { projectId: 'a' } }, 'other')).toEqual({ id: 'a' });
  });
});
