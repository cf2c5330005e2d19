import type { APIGatewayProxyEvent } from 'aws-lambda';
import { AppError } from '../../errors/index.ts';
import { headerValues, idempotencyHeader, idempotencyKeySchema } from '../../http/index.ts';

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
