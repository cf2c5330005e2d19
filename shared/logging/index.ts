import { Logger } from '@aws-lambda-powertools/logger';
import { redact } from './redact.ts';
import { RequestFormatter } from './request-formatter.ts';

/**
 * A structured logger for a service: JSON lines that carry request, tenant and user by themselves.
 *
 * @example const log = serviceLogger('projects'); log.warn('Retrying', { attempt: 2 });
 */
export function serviceLogger(service: string): Logger {
  return new Logger({ serviceName: service, logFormatter: new RequestFormatter(), jsonReplacerFn: redact });
}
