import { type RequestContext, substitute } from './context.ts';

/** The line that API Gateway would write to the access log. Variables without a value are `-`. */
export function accessLogLine(format: string, context: RequestContext): string {
  return substitute(format, context, '-');
}

/** One line for a person who watches: when, what, answer, how long, for whom. */
export function humanLogLine(context: RequestContext): string {
  const tenant = context.authorizer?.['tenantId'] ?? '-';
  const time = new Date(context.requestTimeEpoch).toISOString().slice(11, 23);
  const reason = context.error ? `  ${context.authorizer?.['errorCode'] ?? context.error.responseType}` : '';
  return `${time}  ${context.httpMethod.padEnd(6)} ${context.path}  ${context.status}  ${context.responseLatency} ms  ${tenant}${reason}`;
}
