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
import { type Durable, flushLateAnswers, runOperation } from './run-operation.ts';

const eventSchema = z.object({ operationId: z.uuid() });

const log = serviceLogger('operations');

/** A step is done in pieces of five minutes at most, with a pause after each that has left something: it has an invocation to itself. */
const pieces = { longestMs: 5 * 60_000, leastRemainingMs: 4 * 60_000, pauseSeconds: 1 };

export interface OperationsOptions {
  /** How often a part is tried at most. @default 8, with pauses that double up to 1 min: 2 min in all */
  readonly attempts?: number;
  /** Told of events that wait: that of the request, which came before this, and that of the end. @default nobody */
  readonly publishing?: Pick<EventPublishing, 'publishSoon'>;
  /** How long an authorizer takes at most. @default it answers at once */
  readonly answerSeconds?: number;
  /** How long a piece of a step takes at most, and how long the pause after it. @default as above */
  readonly pieces?: { readonly longestMs: number; readonly leastRemainingMs: number; readonly pauseSeconds: number };
}

export function operationsFunction(ports: Ports, options: OperationsOptions = {}): DurableLambdaHandler {
  const { publishing } = options;
  return withDurableExecution<unknown, undefined>(async (event, context) => {
    const { operationId } = eventSchema.parse(event);
    await publishing?.publishSoon();
    const durable = durableIn(context, operationId, options);
    const { changesAnswers } = await runOperation(operationId, ports, durable);
    await publishing?.publishSoon();
    if (changesAnswers) await flushLateAnswers(ports, durable);
    return undefined;
  });
}

function durableIn(
  context: DurableContext,
  operationId: string,
  {
    attempts = 8,
    answerSeconds = 0,
    pieces: { longestMs, leastRemainingMs, pauseSeconds } = pieces,
  }: OperationsOptions,
): Durable {
  const backOff = createRetryStrategy({
    maxAttempts: attempts,
    initialDelay: { seconds: 1 },
    maxDelay: { minutes: 1 },
  });
  return {
    once: async (name, work) => {
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
    },
    pause: async () => {
      if (pauseSeconds > 0) await context.wait('pause', { seconds: pauseSeconds });
    },
    untilAnswered: async () => {
      if (answerSeconds > 0) await context.wait('answers', { seconds: answerSeconds });
    },
    pieceMs: () => {
      const remainingMs = context.lambdaContext.getRemainingTimeInMillis();
      return remainingMs < leastRemainingMs ? undefined : Math.min(longestMs, remainingMs / 2);
    },
  };
}
