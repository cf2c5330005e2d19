import { type RouteDescriptions, validateRequest } from '../http/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Holds the request against the schemas of its route. Comes after `routing`.
 *
 * @throws AppError validation-failed, body-not-json, body-too-large, unsupported-media-type
 */
export function validation(routes: RouteDescriptions, maxBodyBytes: number): ApiMiddleware {
  return {
    before: ({ event }) => {
      const description = routes[event.route as keyof RouteDescriptions];
      if (description) event.validated = validateRequest(event, description, maxBodyBytes);
    },
  };
}
