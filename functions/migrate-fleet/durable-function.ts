import {
  createRetryStrategy,
  type DurableContext,
  type DurableLambdaHandler,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js';
import * as z from 'zod';

/** What the runner answers that it has come to. The rest of it is for the runner. */
const progressSchema = z.looseObject({ phase: z.string() });
const eventSchema = z.object({ functionName: z.string().min(1), progress: progressSchema });
type Progress = z.output<typeof progressSchema>;

/** Has the migration runner go on, as long as one call of it takes. @throws Error named as the one that the runner threw */
export type GoOn = (functionName: string, progress: Progress) => Promise<unknown>;

/** Errors of the runner that say what became of the fleet: asking again would be answered in the same way. */
const outcomes = ['FleetError', 'AuditError', 'EditedMigrationError'];

/**
 * Has the migration runner go on with a fleet, a few minutes at a time, until nothing is left to do but what has failed. It holds no
 * login and knows no database: what is done stands in these.
 *
 * @param attempts how often a call is tried at most. @default 8, with pauses that double up to 1 min
 */
export function migrateFleetFunction(goOn: GoOn, attempts = 8): DurableLambdaHandler {
  const backOff = createRetryStrategy({
    maxAttempts: attempts,
    initialDelay: { seconds: 1 },
    maxDelay: { minutes: 1 },
  });
  return withDurableExecution<unknown, undefined>(async (event, context: DurableContext) => {
    const { functionName, progress: begun } = eventSchema.parse(event);
    let progress = begun;
    for (let slice = 1; progress.phase !== 'done'; slice += 1) {
      progress = await context.step(
        `slice ${slice}`,
        async () => progressSchema.parse(await goOn(functionName, progress)),
        {
          retryStrategy: (error, made) =>
            outcomes.includes(error.name) ? { shouldRetry: false } : backOff(error, made),
        },
      );
      // The next one has an invocation of its own, and with it all of the time that one has.
      await context.wait({ seconds: 1 });
    }
    return undefined;
  });
}
