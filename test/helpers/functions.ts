import { cacheConnection } from '../../shared/cache/index.ts';
import type { ApiHandler } from '../../shared/middleware/index.ts';
import { apiEvent, authorizerContext, type EventOptions, lambdaContext } from './api-gateway.ts';
import { capabilityFor } from './capability.ts';
import { functionEnvironment } from './function-environment.ts';
import { type FaultyLink, startFaultyLink } from './redis-link.ts';
import { startTestRedis } from './redis.ts';
import { startTenantDatabase, type TestTenantDatabase } from './tenant-database.ts';

interface FunctionAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  /** The body as it was sent. */
  readonly text: string;
  /** The body as JSON. */
  readonly json: Record<string, unknown>;
}

/** The application's functions in this process, over a real database and a real Redis. */
export interface TestFunctions extends AsyncDisposable {
  readonly database: TestTenantDatabase;
  /** On the way from the functions to Redis. */
  readonly link: FaultyLink;
  /** Calls a route as a user of a tenant, as API Gateway would after the authorizer. */
  call(
    tenantId: string,
    route: string,
    request?: Omit<EventOptions, 'route'>,
    remainingMs?: number,
    /** @default the project's own for that route */
    handler?: ApiHandler,
  ): Promise<FunctionAnswer>;
}

/** @param existing a database to use, which stays open afterwards. @default one of its own, with these tenants */
export async function startFunctions(
  tenantIds: readonly string[],
  existing?: TestTenantDatabase,
): Promise<TestFunctions> {
  const [database, redis] = await Promise.all([existing ?? startTenantDatabase(tenantIds), startTestRedis('embedded')]);
  const link = await startFaultyLink(redis.port);
  Object.assign(process.env, functionEnvironment(database, link.url));
  // Opened first, and patient: these tests are about what is answered, not how fast.
  cacheConnection(link.url, { timeoutMs: 10_000 });
  // Functions read their configuration as they are loaded.
  const projects = await import('../../functions/projects/handler.ts');
  const tasks = await import('../../functions/tasks/handler.ts');
  const handlerOf = (route: string): ApiHandler => (route.includes('/tasks') ? tasks.handler : projects.handler);
  return {
    database,
    link,
    call: async (tenantId, route, request = {}, remainingMs = 20_000, handler = handlerOf(route)) => {
      const authorizer = authorizerContext(tenantId, {
        plan: 'enterprise',
        placement: JSON.stringify(database.context(tenantId).placement),
        capability: capabilityFor(tenantId),
        ...request.authorizer,
      });
      const answer = await handler(apiEvent({ route, ...request, authorizer }), lambdaContext(remainingMs));
      const json = answer.body === '' ? {} : (JSON.parse(answer.body) as Record<string, unknown>);
      return { status: answer.statusCode, headers: answer.headers ?? {}, text: answer.body, json };
    },
    [Symbol.asyncDispose]: async () => {
      cacheConnection(link.url).close();
      await link.stop();
      await redis.stop();
      if (!existing) await database[Symbol.asyncDispose]();
    },
  };
}
