import { setTimeout as sleep } from 'node:timers/promises';
import { CommandError } from './command-error.ts';

const firstPollMs = 250;
const slowestPollMs = 2_000;
/** Exit code of a command that Ctrl-C has ended. */
const interrupted = 130;

/** Something that goes on by itself, and can be looked at. */
export interface Followed<T> {
  readonly begun: T;
  readonly hasEnded: (state: T) => boolean;
  readonly read: () => Promise<T>;
  /** Shows how far it is, for as long as somebody watches. */
  readonly view: { show(state: T): void; end(): void };
  /** What to say to whoever does not watch any more. */
  readonly goesOn: string;
}

/**
 * Waits until something has ended, and shows meanwhile how far it is. Who has seen enough presses Ctrl-C: it goes on.
 *
 * @throws CommandError when the control plane does not answer any more
 */
export async function follow<T>({ begun, hasEnded, read, view, goesOn }: Followed<T>): Promise<T> {
  const stop = (): never => {
    view.end();
    console.error(goesOn);
    process.exit(interrupted);
  };
  process.once('SIGINT', stop);
  try {
    let state = begun;
    for (let waitMs = firstPollMs; !hasEnded(state); waitMs = Math.min(slowestPollMs, waitMs * 1.2)) {
      view.show(state);
      await sleep(waitMs);
      state = await read();
    }
    view.show(state);
    return state;
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(`${error.message}\n${goesOn}`, { cause: error });
    throw error;
  } finally {
    view.end();
    process.removeListener('SIGINT', stop);
  }
}
