import { readdir, readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { join } from 'node:path';
import { expect, inject } from 'vitest';
import { membersOf } from '../../local/untyped.ts';
import { signToken } from '../../local/issuer/sign-token.ts';

export interface Sent {
  /** Address of the API. @default that of tenants */
  readonly to?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  /** Sent as JSON unless it is a text or bytes already. */
  readonly body?: unknown;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body, or undefined where there is none. */
  readonly json: unknown;
}

/** Sends a request exactly as written: no path is tidied up, no header added but Host and Content-Length. */
export async function send(
  method: string,
  path: string,
  { to, token, headers = {}, body }: Sent = {},
): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  const url = new URL(to ?? inject('stack').apiUrl);
  const { promise, resolve, reject } = Promise.withResolvers<Answer>();
  const outgoing = request(
    {
      host: url.hostname,
      port: url.port,
      method,
      path,
      headers: {
        ...(token !== undefined && { Authorization: `Bearer ${token}` }),
        ...(text !== undefined && { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }),
        ...headers,
      },
    },
    (incoming) => {
      const chunks: Buffer[] = [];
      incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
      incoming.on('error', reject);
      incoming.on('end', () => {
        const received = Buffer.concat(chunks).toString();
        const isJson = incoming.headers['content-type']?.includes('json') && received !== '';
        const json: unknown = isJson ? JSON.parse(received) : undefined;
        resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, text: received, json });
      });
    },
  );
  outgoing.on('error', reject);
  outgoing.end(text);
  return promise;
}

/** A good token of a tenant's user. */
export function tokenOf(tenant: string, user?: string): Promise<string> {
  return signToken(inject('stack').dataDir, { tenant, user });
}

/** Asserts that an answer is problem details of the catalogue. */
export function expectProblem(answer: Answer, status: number, code: string): void {
  expect({ status: answer.status, body: answer.json }).toMatchObject({ status, body: { status, code } });
  expect(answer.headers['content-type']).toBe('application/problem+json');
  expect(answer.json).toMatchObject({
    type: `urn:tenantry:error:${code}`,
    title: expect.stringMatching(/./),
    instance: expect.stringMatching(/./),
  });
}

/** The value of a field of a JSON object. */
export function field(json: unknown, name: string): unknown {
  return membersOf(json).get(name);
}

/** What the functions of the stack have said of a request, since a client is told of a server's faults little. */
async function logged({ text, json }: Answer): Promise<string> {
  const folder = join(inject('stack').dataDir, 'logs');
  const logs = await Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name), 'utf8')));
  const requestId = String(field(json, 'instance'));
  return [text, ...logs.flatMap((log) => log.split('\n')).filter((line) => line.includes(requestId))].join('\n');
}

/** Creates a resource and returns its id. */
export async function created(path: string, token: string, body: object): Promise<string> {
  const answer = await send('POST', path, { token, body });
  expect(answer.status, answer.status < 500 ? answer.text : await logged(answer)).toBe(201);
  return String(field(answer.json, 'id'));
}
