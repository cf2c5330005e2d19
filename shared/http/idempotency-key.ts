import * as z from 'zod';

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
