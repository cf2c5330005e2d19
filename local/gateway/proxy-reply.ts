import * as z from 'zod';
import type { InvocationResult } from '../lambda/function-process.ts';
import type { ApiDefinition } from './definition.ts';
import { GatewayRefusal, type GatewayReply } from './gateway-responses.ts';
import { acceptsBinary } from './media-types.ts';
import type { GatewayRequest } from './request.ts';

const scalar = z.union([z.string(), z.number(), z.boolean()]).transform(String);

/** What a function behind a proxy integration may answer; anything else is a malformed answer, on AWS too. */
const answerSchema = z.strictObject({
  statusCode: z.coerce.number().int().min(100).max(599),
  headers: z.record(z.string(), scalar).nullish(),
  multiValueHeaders: z.record(z.string(), z.array(scalar)).nullish(),
  body: z.string().nullish(),
  isBase64Encoded: z.boolean().nullish(),
});

/**
 * The reply that a function's answer means.
 *
 * @throws GatewayRefusal 502 if the function failed or answered something else.
 */
export function proxyReply(api: ApiDefinition, request: GatewayRequest, result: InvocationResult): GatewayReply {
  const parsed = result.isError ? undefined : answerSchema.safeParse(JSON.parse(result.payload));
  if (!parsed?.success) throw new GatewayRefusal('INTEGRATION_FAILURE');
  const { statusCode, headers, multiValueHeaders, body, isBase64Encoded } = parsed.data;
  const isBinary = isBase64Encoded === true && acceptsBinary(api, request);
  return {
    status: statusCode,
    headers: mergedHeaders(headers ?? {}, multiValueHeaders ?? {}),
    body: Buffer.from(body ?? '', isBinary ? 'base64' : 'utf8'),
  };
}

/** API Gateway keeps these for itself and passes a function's value on under another name. */
const remapped = new Set([
  'connection',
  'content-length',
  'date',
  'server',
  'transfer-encoding',
  'upgrade',
  'www-authenticate',
]);

/** `multiValueHeaders` add to `headers`; a value in both is sent once. */
function mergedHeaders(
  single: Readonly<Record<string, string>>,
  multiple: Readonly<Record<string, readonly string[]>>,
): Record<string, readonly string[]> {
  const merged = new Map<string, { name: string; values: string[] }>();
  const all = [...Object.entries(multiple), ...Object.entries(single).map(([name, value]) => [name, [value]] as const)];
  for (const [given, values] of all) {
    const name = remapped.has(given.toLowerCase()) ? `x-amzn-Remapped-${given}` : given;
    const entry = merged.get(name.toLowerCase()) ?? { name, values: [] };
    entry.values.push(...values.filter((value) => !entry.values.includes(value)));
    merged.set(name.toLowerCase(), entry);
  }
  if (!merged.has('content-type')) merged.set('content-type', { name: 'Content-Type', values: ['application/json'] });
  return Object.fromEntries([...merged.values()].map(({ name, values }) => [name, values]));
}
