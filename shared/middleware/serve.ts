import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { loadConfig } from '../config/index.ts';
import { AppError } from '../errors/index.ts';
import { type ApiDescription, requestIdOf } from '../http/index.ts';
import { serviceLogger } from '../logging/index.ts';
import { runWithRequestRecord } from '../metrics/index.ts';
import { runInTenantScope } from '../tenancy/index.ts';
import type { ApiEvent, ApiMiddleware } from './api-event.ts';
import { problemDetails } from './problem-details.ts';
import { requestMetrics } from './request-metrics.ts';
import { responseHeaders } from './response-headers.ts';
import { routing } from './routing.ts';

/** What API Gateway calls. */
export type ApiHandler = (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>;

/** Time kept back from the function's own, to answer 504 and write metrics when the work does not end. */
export const reserveMs = 500;

/**
 * The stack that every API function has: metrics ▸ response headers ▸ problem details ▸ routing ▸ `middlewares` ▸ `answer`.
 * Each invocation runs in a record and a tenant scope of its own, opened around all of it.
 */
export function serve(
  { service, routes }: ApiDescription,
  middlewares: readonly ApiMiddleware[],
  answer: (event: ApiEvent, context: Context) => Promise<APIGatewayProxyResult>,
): ApiHandler {
  const { allowedOrigins } = loadConfig('allowedOrigins');
  const log = serviceLogger(service);
  const stack = middy<ApiEvent, APIGatewayProxyResult>({ timeoutEarlyInMillis: reserveMs, timeoutEarlyResponse })
    .use([
      requestMetrics(service, log),
      responseHeaders(allowedOrigins),
      problemDetails(log),
      routing(routes),
      ...middlewares,
    ])
    .handler(answer);
  return (event, context) =>
    runWithRequestRecord(requestIdOf(event.requestContext), () => runInTenantScope(() => stack({ ...event }, context)));
}

function timeoutEarlyResponse(): never {
  throw new AppError('gateway-timeout', 'The handler did not end in time.');
}
