import { GatewayRefusal } from './gateway-responses.ts';
import { type GatewayRequest, headerValues } from './request.ts';
import type { RouteMatch } from './router.ts';

/** Refuses a request that lacks a required parameter, as a request validator does. @throws GatewayRefusal */
export function validateParameters(request: GatewayRequest, { method, pathParameters }: RouteMatch): void {
  const missing = method.requiredParameters
    .map((parameter) => /^method\.request\.(path|querystring|header)\.(.+)$/.exec(parameter))
    .filter((match) => match !== null)
    .map(([, place, name = '']) => ({ place, name }))
    .filter(({ place, name }) => {
      if (place === 'path') return !pathParameters?.[name];
      if (place === 'querystring') return !request.query?.[name]?.some(Boolean);
      return !headerValues(request.headers, name).some(Boolean);
    })
    .map(({ name }) => name);
  if (missing.length === 0) return;
  throw new GatewayRefusal('BAD_REQUEST_PARAMETERS', `Missing required request parameters: [${missing.join(', ')}]`);
}
