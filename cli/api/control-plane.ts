import { CommandError } from '../command-error.ts';
import { type Answer, receive, strange } from './answer.ts';
import type { Authenticate, Outgoing } from './outgoing.ts';
import { refusal } from './refusal.ts';
import { attemptUntilAnswered } from './retries.ts';

export type Query = Readonly<Record<string, string | undefined>>;

export interface PostOptions {
  /** Marks attempts of one request. The control plane answers each with the same operation. */
  readonly idempotencyKey: string;
  /** Whether a request that may have been served may be sent again. @default true, as the key makes it the same */
  readonly isRepeatable?: boolean;
}

/** The control plane, asked as an operator. Each call throws CommandError for every answer that is no success. */
export interface ControlPlane {
  readonly get: (path: string, query?: Query) => Promise<unknown>;
  readonly post: (path: string, body: object, options: PostOptions) => Promise<unknown>;
  readonly delete: (path: string) => Promise<unknown>;
}

export interface ControlPlaneOptions {
  readonly url: string;
  readonly authenticate: Authenticate;
  /** What to say when nobody answers. */
  readonly noAnswer: (reason: string) => string;
  /** Where to look for what went wrong inside. */
  readonly logs: string;
}

/** API Gateway ends a request after 29 s. */
const timeoutMs = 35_000;
const noContent = 204;

export function controlPlaneAt({ url, authenticate, noAnswer, logs }: ControlPlaneOptions): ControlPlane {
  const base = url.endsWith('/') ? url : `${url}/`;
  const send = async (request: Outgoing): Promise<Answer> => {
    const { method, url: to, body } = request;
    const headers = await authenticate(request);
    const signal = AbortSignal.timeout(timeoutMs);
    return receive(
      await fetch(to, { method, headers, signal, redirect: 'error', ...(body !== undefined && { body }) }),
    );
  };
  const ask = async (request: Outgoing, isRepeatable: boolean): Promise<unknown> => {
    const outcome = await attemptUntilAnswered(() => send(request), isRepeatable);
    if ('lost' in outcome) throw new CommandError(noAnswer(outcome.lost));
    const { status, body } = outcome.answer;
    if (status >= 300) throw refusal(status, body, logs);
    if (body === undefined && status !== noContent) throw strange();
    return body;
  };
  return {
    get: (path, query = {}) => ask({ method: 'GET', url: urlOf(base, path, query), headers: {} }, true),
    delete: (path) => ask({ method: 'DELETE', url: urlOf(base, path), headers: {} }, true),
    post: (path, body, { idempotencyKey, isRepeatable = true }) => {
      const headers = { 'content-type': 'application/json', 'idempotency-key': idempotencyKey };
      return ask({ method: 'POST', url: urlOf(base, path), headers, body: JSON.stringify(body) }, isRepeatable);
    },
  };
}

/** Below the base, whose path is the stage of a deployed API. */
function urlOf(base: string, path: string, query: Query = {}): URL {
  const url = new URL(path.replace(/^\//, ''), base);
  const pairs = Object.entries(query).flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  // Spaces as %20: a signature does not cover the other way to write them.
  url.search = pairs.map(([name, value]) => `${encodeURIComponent(name)}=${encodeURIComponent(value)}`).join('&');
  return url;
}
