import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { CommandError } from './command-error.ts';
import { operatorToken } from './operator-token.ts';
import { noAnswer, readStack } from './stack.ts';

/** Asks the control plane for a JSON document. */
export type Get = (path: string, query?: Readonly<Record<string, string>>) => Promise<unknown>;

/** Of a request that came too soon after others: a long list is many pages. */
const mostAttempts = 10;

const problemSchema = z.object({
  title: z.string(),
  detail: z.string().optional(),
  instance: z.string(),
  errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).default([]),
});

/**
 * The control plane of the stack whose data lie in a folder, asked as an operator.
 *
 * @throws CommandError when no stack runs there; the function that it gives does so for every answer that is no success
 */
export async function controlPlane(dataDir: string): Promise<Get> {
  const { controlPlaneUrl } = await readStack(dataDir);
  const token = await operatorToken(dataDir);
  const ask = (url: URL): Promise<Response> =>
    fetch(url, { headers: { Authorization: `Bearer ${token}` } }).catch((error: unknown) => {
      throw error instanceof TypeError ? noAnswer(controlPlaneUrl, dataDir) : error;
    });
  return async (path, query = {}) => {
    const url = new URL(path, controlPlaneUrl);
    url.search = new URLSearchParams(query).toString();
    let answer = await ask(url);
    for (let attempt = 1; answer.status === 429 && attempt < mostAttempts; attempt += 1) {
      await sleep(Number(answer.headers.get('Retry-After') ?? 1) * 1_000);
      answer = await ask(url);
    }
    const body: unknown = await answer.json().catch(() => undefined);
    if (answer.ok) return body;
    throw refused(answer.status, body);
  };
}

/** What the control plane said against a request, and where to look if it said little. */
function refused(status: number, body: unknown): CommandError {
  const problem = problemSchema.safeParse(body).data;
  if (!problem) return new CommandError(`The control plane answered ${status}. Look into the log of the stack.`);
  const { title, detail, errors, instance } = problem;
  const hint = status >= 500 ? ` Look into the logs of the stack for request ${instance}.` : '';
  const lines = errors.map(({ pointer, detail: reason }) => `  ${pointer.replace(/^#\//, '')}: ${reason}`);
  const what = lines.length > 0 ? `${title}:` : `${detail ?? `${title}.`}${hint}`;
  return new CommandError([what, ...lines].join('\n'));
}
