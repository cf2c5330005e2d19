import type { APIGatewayProxyEvent } from 'aws-lambda';
import { AppError } from '../../errors/index.ts';
import { headerValue } from '../../http/index.ts';

/** Header by which a client marks attempts of one and the same request. */
export const idempotencyHeader = 'Idempotency-Key';

/** 1 to 255 visible ASCII characters. */
const keyPattern = /^[\x21-\x7e]{1,255}$/;

/**
 * The request's idempotency key, undefined when it has none.
 *
 * @throws AppError validation-failed
 */
export function idempotencyKeyOf(event: APIGatewayProxyEvent): string | undefined {
  const key = headerValue(event, idempotencyHeader);
  if (key === undefined) return undefined;
  if (keyPattern.test(key)) return key;
  throw new AppError('validation-failed', `The header ${idempotencyHeader} is not valid.`, {
    errors: [{ pointer: `#/header/${idempotencyHeader}`, detail: 'Expected 1 to 255 visible ASCII characters.' }],
  });
}
