import { setTimeout } from 'node:timers/promises';

const warmUpMs = 3_000;

/**
 * Does work ahead of the first token, while the environment starts. Await it: Lambda freezes whatever is still under way when the start is
 * over. What fails or takes too long now is left to the request that needs it.
 */
export async function warmUp(...work: readonly Promise<unknown>[]): Promise<void> {
  await Promise.race([Promise.allSettled(work), setTimeout(warmUpMs, undefined, { ref: false })]);
}
