import type { ScheduleDefinition } from './definition.ts';

/** Longest timer that there is. Nothing here runs for 24 days. */
const longestMs = 2 ** 31 - 1;

/**
 * Invokes functions at their rates, for the first time at once. A run that takes longer than the pause between two has the next one left
 * out, so that nothing piles up.
 *
 * @param invoke resolves at the end of the run, and does not fail
 */
export class Schedules {
  readonly #timers: NodeJS.Timeout[];

  constructor(schedules: readonly ScheduleDefinition[], invoke: (schedule: ScheduleDefinition) => Promise<void>) {
    this.#timers = schedules.map((schedule) => {
      let isRunning = false;
      const run = async (): Promise<void> => {
        if (isRunning) return;
        isRunning = true;
        await invoke(schedule).finally(() => (isRunning = false));
      };
      void run();
      return setInterval(() => void run(), Math.min(schedule.everyMs, longestMs)).unref();
    });
  }

  async stop(): Promise<void> {
    this.#timers.forEach(clearInterval);
  }
}
