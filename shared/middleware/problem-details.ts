import type { Logger } from '@aws-lambda-powertools/logger';
import { AppError, type ErrorCode } from '../errors/index.ts';
import { toProblemResponse } from '../http/index.ts';
import { currentRequestRecord } from '../metrics/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/** Of all requests while the cache is away: its connection warns once a minute, and a metric counts them. */
const reportedElsewhere: ErrorCode = 'limiter-unavailable';

/**
 * Answers every error with problem details. An error that is none of the catalogue becomes `internal`; what is not the client's
 * fault is logged, once, with its causes, unless that is done for all requests together.
 */
export function problemDetails(log: Logger): ApiMiddleware {
  return {
    onError: (request) => {
      const error = toAppError(request.error);
      if (error.status >= 500 && error.code !== reportedElsewhere) log.error(error.message, error);
      // Set, not returned: a returned value would end the chain before the metrics are written.
      request.response = toProblemResponse(error, currentRequestRecord()?.requestId ?? request.context.awsRequestId);
    },
  };
}

function toAppError(error: unknown): AppError {
  if (error instanceof AppError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new AppError('internal', `Unexpected error: ${message}`, { cause: error });
}
