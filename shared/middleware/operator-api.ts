import { rollbackMs, withDeadline } from '../database/index.ts';
import { type ApiDescription, defaultMaxBodyBytes, type Handlers, type RouteDescriptions } from '../http/index.ts';
import { answering } from './answering.ts';
import { operatorContext } from './operator-context.ts';
import { type ApiHandler, reserveMs, serve } from './serve.ts';
import { validation } from './validation.ts';

/**
 * `tenantApi` for routes of the control plane: an operator in place of a tenant, and no limiter.
 * metrics ▸ problem details ▸ routing ▸ operator ▸ validation ▸ handler.
 */
export function operatorApi<Routes extends RouteDescriptions>(
  api: ApiDescription<Routes>,
  handlers: Handlers<Routes>,
): ApiHandler {
  const middlewares = [operatorContext(), validation(api.routes, defaultMaxBodyBytes)];
  const handler = serve(api, middlewares, answering(api.routes, handlers));
  return (event, context) => {
    const deadline = Date.now() + context.getRemainingTimeInMillis() - reserveMs - rollbackMs;
    return withDeadline(deadline, () => handler(event, context));
  };
}
