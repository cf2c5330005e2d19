import type { APIGatewayProxyResult } from 'aws-lambda';
import { type AppError, problemDetails } from '../errors/index.ts';

/** Sent with every answer: tenant data is nobody's to cache, and its type nobody's to guess. */
const commonHeaders = {
  'Cache-Control': 'no-store',
  'X-Content-Type-Options': 'nosniff',
};

/** As API Gateway's own answers have them. Neither has a parameter `charset`: JSON is UTF-8 (RFC 8259). */
const contentTypes = { json: 'application/json', problem: 'application/problem+json' };

/** An answer that is yet without headers of its own, so that it can be stored and replayed. */
export interface Answer {
  readonly status: number;
  /** JSON text; kept as text so that a replay is the same to the byte. */
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The answer of a handler that returned `value`. */
export function successAnswer(status: number, value: unknown, location?: string): Answer {
  const body = status === 204 ? '' : JSON.stringify(value);
  return { status, body, ...(location !== undefined && { headers: { Location: location } }) };
}

/** API Gateway's form of an answer. */
export function toResponse({ status, body, headers }: Answer, requestId: string): APIGatewayProxyResult {
  return {
    statusCode: status,
    headers: {
      ...commonHeaders,
      ...(body !== '' && { 'Content-Type': contentTypes.json }),
      'X-Request-Id': requestId,
      ...headers,
    },
    body,
  };
}

/** API Gateway's form of a problem details answer (RFC 9457). */
export function toProblemResponse(error: AppError, requestId: string): APIGatewayProxyResult {
  const headers: Record<string, string> = { 'Content-Type': contentTypes.problem };
  if (error.retryAfterSeconds !== undefined) headers['Retry-After'] = String(error.retryAfterSeconds);
  if (error.status === 401) headers['WWW-Authenticate'] = 'Bearer';
  return toResponse(
    { status: error.status, body: JSON.stringify(problemDetails(error, requestId)), headers },
    requestId,
  );
}
