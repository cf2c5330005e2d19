import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import type { GoOn } from './durable-function.ts';

const errorSchema = z.object({ errorType: z.string().default('Error'), errorMessage: z.string().default('') });

/** The migration runner, by way of Lambda. */
export function goOnVia(client: LambdaClient): GoOn {
  return async (functionName, progress) => {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionName, Payload: JSON.stringify({ action: 'continue', progress }) }),
    );
    const answer: unknown = JSON.parse(Buffer.from(Payload ?? []).toString() || 'null');
    if (FunctionError === undefined) return answer;
    const { errorType, errorMessage } = errorSchema.parse(answer);
    const error = new Error(errorMessage);
    error.name = errorType;
    throw error;
  };
}
