import { randomUUID } from 'node:crypto';
import { CommandError, UsageError } from '../command-error.ts';
import { RefusedError } from './refusal.ts';

/** The key that was typed, or a new one. @throws UsageError */
export function keyOf(typed: string = randomUUID()): string {
  if (/^[\x21-\x7e]{1,255}$/.test(typed)) return typed;
  throw new UsageError('A key has 1 to 255 visible ASCII characters.');
}

/** Says how to begin no second one where nobody knows whether there was an answer. @param what was asked for with the key */
export function orSayKey<T>(key: string, what: 'operation' | 'run', asked: Promise<T>): Promise<T> {
  return asked.catch((error: unknown) => {
    if (!(error instanceof CommandError) || error instanceof RefusedError) throw error;
    const again = `Whether the ${what} was begun is not known. The same command with --idempotency-key ${key} begins no second one.`;
    throw new CommandError(`${error.message}\n${again}`, { cause: error });
  });
}
