import { AppError } from '../errors/index.ts';
import type { RouteDescriptions } from '../http/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Finds the described route of a request.
 *
 * @throws AppError route-not-found
 */
export function routing(routes: RouteDescriptions): ApiMiddleware {
  return {
    before: ({ event }) => {
      const route = `${event.httpMethod} ${event.resource}`;
      if (!Object.hasOwn(routes, route)) {
        throw new AppError(
          'route-not-found',
          `There is no ${event.httpMethod} ${event.path.slice(0, 200)}. See /openapi.json.`,
        );
      }
      event.route = route;
      const record = currentRequestRecord();
      if (record) record.route = route;
    },
  };
}
