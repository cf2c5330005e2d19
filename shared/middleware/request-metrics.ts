import type { Logger } from '@aws-lambda-powertools/logger';
import { currentRequestRecord, requestMetricsPublisher } from '../metrics/index.ts';
import type { ApiMiddleware } from './api-event.ts';

/**
 * Writes the metrics and the log line of each request, also of one that failed. Use it first: Middy runs `after` and `onError` in reverse,
 * so this sees the answer that all others made. Nothing in here may keep that answer from the client.
 */
export function requestMetrics(service: string, log: Logger): ApiMiddleware {
  const publish = requestMetricsPublisher(service);
  const finish: ApiMiddleware['after'] = ({ response }) => {
    const record = currentRequestRecord();
    if (!record) return;
    const status = response?.statusCode ?? 500;
    try {
      publish(record, status);
    } catch (error) {
      log.error('The metrics of a request could not be written', error as Error);
    }
    log.info('request', {
      status,
      durationMs: round(performance.now() - record.startedAt),
      databaseTimeMs: round(record.databaseTimeMs),
      databaseCalls: [...record.databaseQueries.values()].reduce((sum, count) => sum + count, 0),
    });
  };
  return { after: finish, onError: finish };
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100;
