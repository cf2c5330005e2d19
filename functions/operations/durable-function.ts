import {
  createRetryStrategy,
  type DurableContext,
  type DurableLambdaHandler,
  StepError,
  withDurableExecution,
} from '@aws/durable-execution-sdk-js';
import * as z from 'zod';
import type { EventPublishing } from '../../shared/control/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { isPassing, keepable, stepFailure } from './failure.ts';
import type { Ports } from './ports.ts';
import { type Durably, runOperation } from './run-operation.ts';

const eventSchema = z.object({ operationId: z.uuid() });

const log = serviceLogger('operations');

/**
 * @param attempts how often a part is tried at most. @default 8, with pauses that double up to 1 min: 2 min in all
 * @param publishing told of events that wait: that of the request, which came before this, and that of the end. @default nobody
 */
export function operationsFunction(
  ports: Ports,
  attempts = 8,
  publishing?: Pick<EventPublishing, 'publishSoon'>,
): DurableLambdaHandler {
  return withDurableExecution<unknown, undefined>(async (event, context) => {
    const { operationId } = eventSchema.parse(event);
    await publishing?.publishSoon();
    await runOperation(operationId, ports, durablyIn(context, operationId, attempts));
    await publishing?.publishSoon();
    return undefined;
  });
}

function durablyIn(context: DurableContext, operationId: string, attempts: number): Durably {
  const backOff = createRetryStrategy({
    maxAttempts: attempts,
    initialDelay: { seconds: 1 },
    maxDelay: { minutes: 1 },
  });
  return async (name, work) => {
    try {
      return await context.step(
        name,
        async () => {
          try {
            return await work();
          } catch (error) {
            log.warn('A part of an operation failed', { operationId, part: name, error: error as Error });
            throw keepable(error);
          }
        },
        { retryStrategy: (error, made) => (isPassing(error) ? backOff(error, made) : { shouldRetry: false }) },
      );
    } catch (error) {
      // Anything else is the SDK's, which ends the invocation by it.
      throw error instanceof StepError && error.cause ? stepFailure(error.cause) : error;
    }
  };
}
