import type { APIGatewayProxyEvent } from 'aws-lambda';
import * as z from 'zod';
import { AppError } from '../errors/index.ts';
import { headerValues } from './headers.ts';

/** Header by which a client marks attempts of one and the same request. */
export const idempotencyHeader = 'Idempotency-Key';

/** 1 to 255 visible ASCII characters. */
export const idempotencyKeySchema = z
  .string()
  .regex(/^[\x21-\x7e]{1,255}$/, 'Expected 1 to 255 visible ASCII characters.')
  .meta({
    description:
      'Marks attempts of one request. A repeated request with the same key gets the first answer again, for 24 hours.',
  });

/**
 * The request's idempotency key, undefined when it has none.
 *
 * @throws AppError validation-failed
 */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const keys = headerValues(event, idempotencyHeader);
  if (keys.length === 0) return undefined;
  if (keys.length > 1) throw invalid([`Expected one key, found ${keys.length}.`]);
  const key = idempotencyKeySchema.safeParse(keys[0]);
  if (key.success) return key.data;
  throw invalid(key.error.issues.map(({ message }) => message));
}

function invalid(details: readonly string[]): AppError {
  const errors = details.map((detail) => ({ pointer: `#/header/${idempotencyHeader}`, detail }));
  return new AppError('validation-failed', `The header ${idempotencyHeader} is not valid.`, { errors });
}
