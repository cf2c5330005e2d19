import type { IncomingMessage } from 'node:http';

/** API Gateway's limit on a request's body. */
const bodyLimitBytes = 10 * 1024 * 1024;

export type MultiValues = Readonly<Record<string, readonly string[]>>;

/** A request as the client sent it, before any route is looked for. */
export interface GatewayRequest {
  readonly method: string;
  /** Still percent-encoded, nothing collapsed: `..`, `//` and `%2f` are what the client wrote. */
  readonly path: string;
  /** Names as the client spelled them first; values in order. */
  readonly headers: MultiValues;
  /** Decoded; undefined where the query string is malformed. */
  readonly query: MultiValues | undefined;
  readonly body: Buffer;
  readonly sourceIp: string;
  readonly protocol: string;
}

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
}

/** Bytes that are read and thrown away so that a client that is still sending gets to see its refusal. */
const drainLimitBytes = 64 * 1024 * 1024;

/** @throws BodyTooLargeError past 10 MB. */
export async function readRequest(message: IncomingMessage): Promise<GatewayRequest> {
  const head = readHead(message);
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of message as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size <= bodyLimitBytes) chunks.push(chunk);
    if (size > drainLimitBytes) break;
  }
  if (size > bodyLimitBytes) throw new BodyTooLargeError(`The body has more than ${bodyLimitBytes} bytes.`);
  return { ...head, body: Buffer.concat(chunks) };
}

/** All of a request but its body. */
export function readHead(message: IncomingMessage): Omit<GatewayRequest, 'body'> {
  const target = (message.url ?? '/').replace(/^https?:\/\/[^/?]*/i, '') || '/';
  const [path = '/', query = ''] = splitOnce(target, '?');
  return {
    method: message.method ?? 'GET',
    path: path.startsWith('/') ? path : `/${path}`,
    headers: readHeaders(message.rawHeaders),
    query: readQuery(query),
    sourceIp: (message.socket.remoteAddress ?? '').replace('::ffff:', ''),
    protocol: `HTTP/${message.httpVersion}`,
  };
}

/** Headers come as a flat list of names and values, with duplicates. */
function readHeaders(raw: readonly string[]): MultiValues {
  const byLowerCase = new Map<string, { name: string; values: string[] }>();
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const [name = '', value = ''] = raw.slice(index, index + 2);
    const known = byLowerCase.get(name.toLowerCase());
    if (known) known.values.push(value);
    else byLowerCase.set(name.toLowerCase(), { name, values: [value] });
  }
  return Object.fromEntries([...byLowerCase.values()].map(({ name, values }) => [name, values]));
}

/** API Gateway refuses these unless they are encoded, and splits at semicolons as at ampersands. */
const refusedInQuery = /[|{}]/;

function readQuery(text: string): MultiValues | undefined {
  if (refusedInQuery.test(text)) return undefined;
  const query = new Map<string, string[]>();
  for (const pair of text.split(/[&;]/).filter(Boolean)) {
    const [name, value = ''] = splitOnce(pair, '=').map((part) => decode(part.replaceAll('+', ' ')) ?? null);
    if (typeof name !== 'string' || value === null) return undefined;
    query.set(name, [...(query.get(name) ?? []), value]);
  }
  return Object.fromEntries(query);
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}

/** Percent-decoded; undefined where the encoding is malformed. */
export function decode(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Values of a header, whatever its case; empty where it is missing. */
export function headerValues(headers: MultiValues, name: string): readonly string[] {
  const found = Object.keys(headers).find((key) => key.toLowerCase() === name.toLowerCase());
  return found === undefined ? [] : (headers[found] ?? []);
}
