import type { Logger } from '@aws-lambda-powertools/logger';
import { currentRequestRecord, requestMetricsPublisher } from '../metrics/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Writes the line of each request, also of one that failed. Use it first: Middy runs `after` and `onError` in reverse, so this sees
 * the answer that all others made. Nothing in here may keep that answer from the client.
 */
export function requestMetrics(service: string, log: Logger): ApiMiddleware {
  const publish = requestMetricsPublisher(service);
  const finish: ApiMiddleware['after'] = ({ response }) => {
    const record = currentRequestRecord();
    if (!record) return;
    try {
      publish(record, response?.statusCode ?? 500);
    } catch (error) {
      log.error('The metrics of a request could not be written', error as Error);
    }
  };
  return { after: finish, onError: finish };
}
