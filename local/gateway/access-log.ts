import { type RequestContext, substitute } from './context.ts';

/** The line that API Gateway would write to the access log. Variables without a value are `-`. */
export function accessLogLine(format: string, context: RequestContext): string {
  return substitute(format, context, '-');
}

/** One line for a person who watches: when, what, answer, how long, for whom. */
export function humanLogLine(context: RequestContext): string {
  const time = new Date(context.requestTimeEpoch).toISOString().slice(11, 23);
  const { error, authorizer } = context;
  const denial = error?.responseType === 'ACCESS_DENIED' ? authorizer?.['errorCode'] : undefined;
  const reason = error ? `  ${denial ?? error.responseType}` : '';
  const who = printable(String(authorizer?.['tenantId'] ?? authorizer?.['operatorId'] ?? '-'));
  return `${time}  ${context.httpMethod.padEnd(6)} ${printable(context.path)}  ${context.status}  ${context.responseLatency} ms  ${who}${reason}`;
}

/** What a terminal would obey, and quotes that could pass for our own, percent-encoded. */
function printable(text: string): string {
  return text.replace(/[^!#-&(-~]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`);
}
