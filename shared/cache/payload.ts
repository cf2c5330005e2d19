import { deflateRawSync, inflateRawSync } from 'node:zlib';
import type * as z from 'zod';

/** Text that is longer is compressed. */
const compressedAboveBytes = 2_048;
/** What is larger still takes longer to fetch than a request should wait for. */
const mostBytes = 256 * 1_024;
/** Nothing that we wrote is larger when it is inflated. Reading what somebody else wrote shall not cost a function its memory. */
const mostInflatedBytes = 4 * 1_024 * 1_024;

/** In the place of a value that cannot be kept, so that nobody waits for somebody else to load it. */
export const notKept = '';

/**
 * A value as text: `j` and its JSON, or `d` and its JSON deflated, in base64. `notKept` if that has more than 256 KiB, undefined if JSON has no
 * text for it.
 */
export function encodePayload(value: unknown): string | undefined {
  const json = textOf(value);
  if (json === undefined) return undefined;
  const bytes = Buffer.byteLength(json);
  if (bytes > mostInflatedBytes) return notKept;
  const text = bytes > compressedAboveBytes ? `d${deflateRawSync(json).toString('base64')}` : `j${json}`;
  return Buffer.byteLength(text) > mostBytes ? notKept : text;
}

/** Whoever has loaded a bigint, or something that contains itself, is to have it all the same. */
function textOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** What `encodePayload` was given, or undefined if that is not to be had or not of the shape. */
export function decodePayload<T>(payload: string, schema: z.ZodType<T>): { readonly value: T } | undefined {
  if (payload === notKept) return undefined;
  try {
    const { success, data } = schema.safeParse(JSON.parse(jsonOf(payload)));
    return success ? { value: data } : undefined;
  } catch {
    return undefined;
  }
}

function jsonOf(payload: string): string {
  if (!payload.startsWith('d')) return payload.slice(1);
  const deflated = Buffer.from(payload.slice(1), 'base64');
  return inflateRawSync(deflated, { maxOutputLength: mostInflatedBytes }).toString();
}
