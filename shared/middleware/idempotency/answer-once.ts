import {
  IdempotencyAlreadyInProgressError,
  IdempotencyConfig,
  IdempotencyInconsistentStateError,
  IdempotencyPersistenceLayerError,
  IdempotencyValidationError,
  makeIdempotent,
} from '@aws-lambda-powertools/idempotency';
import type { Context } from 'aws-lambda';
import { AppError } from '../../errors/index.ts';
import type { Answer } from '../../http/index.ts';
import { currentTenant } from '../../tenancy/index.ts';
import type { ApiEvent } from '../api-event.ts';
import { TenantTablePersistence } from './tenant-table-persistence.ts';

/** Seconds for which an answer is replayed. */
const expiresAfterSeconds = 24 * 60 * 60;
/** Tells a client that it got the answer of an earlier attempt. */
const replayedHeader = { 'Idempotency-Replayed': 'true' };

const persistenceStore = new TenantTablePersistence();

/**
 * Answers each idempotency key once: later attempts of the same request get the first answer again. An attempt that fails stores nothing.
 * Keys count per tenant, user and route. A request without a key is simply answered.
 *
 * @throws AppError idempotency-key-in-use while another attempt runs, idempotency-key-reused for another request
 */
export async function answerOnce(
  event: ApiEvent,
  lambdaContext: Context,
  answer: () => Promise<Answer>,
): Promise<Answer> {
  const key = event.validated?.idempotencyKey;
  if (key === undefined) return await answer();
  const config = new IdempotencyConfig({
    eventKeyJmesPath: 'key',
    payloadValidationJmesPath: 'payload',
    throwOnNoIdempotencyKey: true,
    hashFunction: 'sha256',
    expiresAfterSeconds,
    lambdaContext,
    responseHook: (stored) => {
      const first = stored as unknown as Answer;
      return { ...first, headers: { ...first.headers, ...replayedHeader } };
    },
  });
  // The library finds key and payload in the first argument, by the paths above.
  const attempt = {
    key: [event.route, currentTenant().userId, key],
    payload: { path: event.validated?.path, body: event.validated?.body },
    answer,
  };
  const once = makeIdempotent((first: typeof attempt) => first.answer(), { persistenceStore, config, keyPrefix: 'v1' });
  try {
    return await once(attempt);
  } catch (error) {
    throw toAppError(error, key);
  }
}

function toAppError(error: unknown, key: string): unknown {
  if (error instanceof IdempotencyValidationError) {
    return new AppError(
      'idempotency-key-reused',
      `The key ${key} was used with another request. Use a new key for each request.`,
    );
  }
  if (error instanceof IdempotencyAlreadyInProgressError || error instanceof IdempotencyInconsistentStateError) {
    const message = `A request with the key ${key} is being served. Try again in a moment, with the same key.`;
    return new AppError('idempotency-key-in-use', message, { retryAfterSeconds: 1 });
  }
  // What kept the record from being written says more than that it was not written.
  if (error instanceof IdempotencyPersistenceLayerError && error.cause instanceof AppError) return error.cause;
  return error;
}
