import { type ApiDescription, defaultMaxBodyBytes, type Handlers, type RouteDescriptions } from '../http/index.ts';
import { answering } from './answering.ts';
import { type ApiHandler, serve } from './serve.ts';
import { validation } from './validation.ts';

/** `tenantApi` for routes that are answered without a token: there is no tenant, and hence no data. */
export function publicApi<Routes extends RouteDescriptions>(
  api: ApiDescription<Routes>,
  handlers: Handlers<Routes>,
): ApiHandler {
  return serve(api, [validation(api.routes, defaultMaxBodyBytes)], answering(api.routes, handlers));
}
