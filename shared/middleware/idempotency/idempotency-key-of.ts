import type { APIGatewayProxyEvent } from 'aws-lambda';
import { AppError } from '../../errors/index.ts';
import { headerValue, idempotencyHeader, idempotencyKeySchema } from '../../http/index.ts';

/**
 * The request's idempotency key, undefined when it has none.
 *
 * @throws AppError validation-failed
 */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const key = idempotencyKeySchema.optional().safeParse(headerValue(event, idempotencyHeader));
  if (key.success) return key.data;
  const errors = key.error.issues.map(({ message }) => ({ pointer: `#/header/${idempotencyHeader}`, detail: message }));
  throw new AppError('validation-failed', `The header ${idempotencyHeader} is not valid.`, { errors });
}
