import type { APIGatewayProxyEvent } from 'aws-lambda';
import type * as z from 'zod';
import { AppError, type ErrorItem } from '../errors/index.ts';
import type { RouteDescription } from './describe-api.ts';
import { idempotencyKeyOf } from './idempotency-key.ts';
import { readJsonBody } from './json-body.ts';

/** What a route described of a request, validated. */
export interface ValidatedRequest {
  readonly path?: unknown;
  readonly query?: unknown;
  readonly body?: unknown;
  readonly idempotencyKey?: string | undefined;
}

/** An answer lists at most so many problems; whoever sends more has one problem. */
const maxProblems = 20;

/**
 * Holds a request against its route's schemas.
 *
 * @throws AppError validation-failed that lists every problem, or an error of `readJsonBody`
 */
export function validateRequest(
  event: APIGatewayProxyEvent,
  description: RouteDescription,
  maxBodyBytes: number,
): ValidatedRequest {
  const inputs: { readonly [part: string]: { schema: z.ZodType; value: unknown } } = {
    ...(description.path && { path: { schema: description.path, value: event.pathParameters ?? {} } }),
    ...(description.query && { query: { schema: description.query, value: queryParameters(event) } }),
    ...(description.body && { body: { schema: description.body, value: readJsonBody(event, maxBodyBytes) } }),
  };
  const validated: Record<string, unknown> = {};
  const problems: ErrorItem[] = [];
  for (const [part, { schema, value }] of Object.entries(inputs)) {
    const unstorable = pathToUnstorableText(value);
    if (unstorable) {
      problems.push({
        pointer: pointerTo(`#/${part}`, ...unstorable),
        detail: 'Holds a character that cannot be stored.',
      });
    }
    const result = schema.safeParse(value);
    if (result.success) validated[part] = result.data;
    else problems.push(...result.error.issues.flatMap((issue) => problemsOf(issue, part)));
  }
  if (!description.body) problems.push(...problemsOfNoBody(event));
  if (problems.length === 0) {
    return description.idempotent ? { ...validated, idempotencyKey: idempotencyKeyOf(event) } : validated;
  }
  throw new AppError('validation-failed', summaryOf(problems), { errors: problems.slice(0, maxProblems) });
}

/** What a route takes no body for would be lost on whoever sends it: nothing may be sent, or an object with nothing in it. */
function problemsOfNoBody({ httpMethod, body, isBase64Encoded }: APIGatewayProxyEvent): ErrorItem[] {
  if (httpMethod !== 'POST' || !body) return [];
  const text = isBase64Encoded ? Buffer.from(body, 'base64').toString() : body;
  return /^\s*(\{\s*\})?\s*$/.test(text) ? [] : [{ pointer: '#/body', detail: 'This route takes no body.' }];
}

/** A parameter that is given once is text; one that is given several times is a list, which a schema for text refuses. */
function queryParameters(event: APIGatewayProxyEvent): Record<string, unknown> {
  const single = Object.entries(event.queryStringParameters ?? {});
  const multiple = Object.entries(event.multiValueQueryStringParameters ?? {});
  const values = multiple.map(([name, list]): [string, unknown] => [name, list?.length === 1 ? list[0] : list]);
  return Object.fromEntries<unknown>([...single, ...values]);
}

function problemsOf(issue: z.core.$ZodIssue, part: string): ErrorItem[] {
  const pointer = pointerTo(`#/${part}`, ...issue.path);
  if (issue.code !== 'unrecognized_keys') return [{ pointer, detail: issue.message }];
  return issue.keys.map((key) => ({ pointer: pointerTo(pointer, key), detail: 'There is no such field.' }));
}

/** A JSON pointer (RFC 6901), as a URI fragment without the percent-encoding, which nobody wants to read. */
function pointerTo(parent: string, ...keys: readonly PropertyKey[]): string {
  const segments = keys.map((key) => String(key).replaceAll('~', '~0').replaceAll('/', '~1').slice(0, 100));
  return [parent, ...segments].join('/');
}

function summaryOf(problems: readonly ErrorItem[]): string {
  const count = problems.length === 1 ? 'One value of the request is' : `${problems.length} values of the request are`;
  return `${count} not valid. See "errors" for each.`;
}

/** Postgres stores neither U+0000 nor half of a surrogate pair; refused here, the client learns where it is. */
function pathToUnstorableText(value: unknown): string[] | undefined {
  if (typeof value === 'string') return value.includes('\u0000') || !value.isWellFormed() ? [] : undefined;
  if (typeof value !== 'object' || value === null) return undefined;
  for (const [key, child] of Object.entries(value)) {
    const path = pathToUnstorableText(child);
    if (path) return [key, ...path];
  }
  return undefined;
}
