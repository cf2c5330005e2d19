import { headerValue } from '../http/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Sends the headers that other middlewares have left in `event.responseHeaders`, on success as on failure, and lets browsers of the
 * stage's origins read the answer. Comes before `problemDetails`, so that it sees its answer.
 *
 * @param allowedOrigins origins that browsers may call from, or `*`
 */
export function responseHeaders(allowedOrigins: readonly string[]): ApiMiddleware {
  const send: ApiMiddleware['after'] = ({ event, response }) => {
    if (!response) return;
    response.headers = {
      ...response.headers,
      ...event.responseHeaders,
      ...corsHeaders(headerValue(event, 'Origin'), allowedOrigins),
    };
  };
  return { after: send, onError: send };
}

function corsHeaders(origin: string | undefined, allowedOrigins: readonly string[]): Record<string, string> {
  if (allowedOrigins.length === 0) return {};
  const readable = { 'Access-Control-Expose-Headers': '*' };
  if (allowedOrigins.includes('*')) return { ...readable, 'Access-Control-Allow-Origin': '*' };
  // The answer differs by who asks, which caches on the way must know also when this one is not allowed.
  const varying = { Vary: 'Origin' };
  if (origin === undefined || !allowedOrigins.includes(origin)) return varying;
  return { ...readable, ...varying, 'Access-Control-Allow-Origin': origin };
}
