import type * as z from 'zod';
import { CommandError } from '../command-error.ts';

/** What the control plane, or whatever is there in its place, has said. */
export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  /** Undefined where it is no JSON. */
  readonly body: unknown;
}

/** Reads all of an answer: one that breaks off is none. @throws TypeError as fetch does */
export async function receive(response: Response): Promise<Answer> {
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: parsed(text) };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** A page to sign in, another service, or a control plane of another version. */
export const strange = (): CommandError =>
  new CommandError(
    'What answers is no control plane that this command knows. Check the URL, with its stage, what stands between, and that both are of one version.',
  );

/** What an answer says. @throws CommandError when it is none of this form */
export function readAs<T>(schema: z.ZodType<T>, body: unknown): T {
  const read = schema.safeParse(body);
  if (read.success) return read.data;
  throw strange();
}
