import type { CacheClient } from './client.ts';

type Work = (client: CacheClient) => Promise<unknown>;

/** What must not be lost, and could not be done yet. */
export interface Owed {
  add(work: Work): void;
  /** Hands all of it to `send`, to be done before whatever is sent next; what fails there is owed again. */
  settle(send: (work: Work) => Promise<unknown>): void;
}

/** Of so much each is tried so often: a server that refuses it for good is not to be asked with each request for ever. */
const [mostOwed, mostTries] = [1_000, 100];

export function createOwed(): Owed {
  const triesLeft = new Map<Work, number>();
  const owe = (work: Work, tries: number): void => {
    if (tries === 0) return;
    triesLeft.set(work, tries);
    const [oldest] = triesLeft.keys();
    if (triesLeft.size > mostOwed && oldest) triesLeft.delete(oldest);
  };
  return {
    add: (work) => owe(work, mostTries),
    settle: (send) => {
      const due = [...triesLeft];
      triesLeft.clear();
      for (const [work, tries] of due) send(work).catch(() => owe(work, tries - 1));
    },
  };
}
