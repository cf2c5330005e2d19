import { describe, expect, test } from 'vitest';
import { DatabaseError } from '../../../shared/database/database-error.ts';
import { currentDeadline, withDeadline } from '../../../shared/database/deadline.ts';
import { backoffMs, type Twice, withRetries } from '../../../shared/database/retry.ts';

/** Throttled: it has not run. */
const notRun = Object.assign(new Error('private'), { name: 'ThrottlingException' });
/** The connection broke: it may have run. */
const mayHaveRun = Object.assign(new Error('private'), { code: 'ECONNRESET' });
const wouldFailAgain = Object.assign(new Error('private'), { name: 'BadRequestException' });

/** How often a call is made that fails so often, and what comes of it. */
async function callsOf(twice: Twice, failure: Error, times: number): Promise<readonly [number, unknown]> {
  let calls = 0;
  const call = () => {
    calls += 1;
    return calls <= times ? Promise.reject(failure) : Promise.resolve('done');
  };
  // Long enough for every case here, and an end for a call that goes on for ever.
  const deadline = Math.min(currentDeadline(), Date.now() + 5_000);
  const result = await withDeadline(deadline, () => withRetries(twice, call)).catch((error: unknown) => error);
  return [calls, result];
}

describe('a call', () => {
  test.each<[Twice, string, Error, number, number]>([
    ['harmless', 'has not run', notRun, 2, 3],
    ['harmless', 'may have run', mayHaveRun, 3, 4],
    ['harmful', 'has not run', notRun, 2, 3],
  ])('that is %s is made again when it %s', async (twice, _, failure, times, calls) => {
    expect(await callsOf(twice, failure, times)).toEqual([calls, 'done']);
  });

  test.each<[Twice, string, Error, number]>([
    ['harmless', 'would fail again', wouldFailAgain, 1],
    ['harmless', 'may have run four times', mayHaveRun, 4],
    ['harmful', 'may have run', mayHaveRun, 1],
    ['harmful', 'would fail again', wouldFailAgain, 1],
    ['forbidden', 'has not run', notRun, 1],
    ['forbidden', 'may have run', mayHaveRun, 1],
  ])('that is %s is given up when it %s', async (twice, _, failure, times) => {
    const [calls, error] = await callsOf(twice, failure, 10);
    expect(calls).toBe(times);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error).toMatchObject({ cause: failure });
  });

  test('is not made again once the deadline has passed, and fails with what it failed with before', async () => {
    const deadline = Date.now() + 300;
    const [calls, error] = await withDeadline(deadline, () => callsOf('harmful', notRun, 1_000));
    expect(calls).toBeGreaterThan(1);
    expect(error).toMatchObject({ cause: notRun });
    expect(Date.now()).toBeLessThan(deadline + 5_000);
  });

  test('is told to stop at the deadline, and not before', async () => {
    const signalUntil = (deadline: number) =>
      withDeadline(deadline, () => withRetries('forbidden', async (signal) => signal));
    expect((await signalUntil(Date.now() + 60_000)).aborted).toBe(false);
    const signal = await signalUntil(Date.now() - 1);
    await expect.poll(() => signal.aborted).toBe(true);
  });
});

describe('the pause before another call', () => {
  const pausesAt = (attempt: number) => Array.from({ length: 500 }, () => backoffMs(attempt));

  // Of 500 pauses at random, one is in the upper half but for one run of 2^500.
  test.each([
    [0, 50],
    [1, 100],
    [4, 800],
    [6, 2_000],
    [50, 2_000],
  ])('after attempt %i is at random, up to %i ms', (attempt, mostMs) => {
    const pauses = pausesAt(attempt);
    expect(Math.min(...pauses)).toBeGreaterThanOrEqual(0);
    expect(Math.min(...pauses)).toBeLessThan(mostMs / 2);
    expect(Math.max(...pauses)).toBeGreaterThan(mostMs / 2);
    expect(Math.max(...pauses)).toBeLessThanOrEqual(mostMs);
  });
});

describe('the deadline', () => {
  test('is the one that was set, as long as the work takes', async () => {
    await withDeadline(42, async () => {
      await Promise.resolve();
      expect(currentDeadline()).toBe(42);
    });
    expect(currentDeadline()).not.toBe(42);
  });

  test('is to come where nobody has set one', () => {
    expect(currentDeadline()).toBeGreaterThan(Date.now() + 1_000);
  });
});
