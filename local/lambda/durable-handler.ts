import type { DurableLambdaHandler } from '@aws/durable-execution-sdk-js';

type Handler = (event: unknown, context: object) => unknown;

/**
 * Makes of a durable function's handler one that takes what starts an execution and answers with its end. The SDK's own local runner is
 * in between: it keeps what was done, pauses between tries, and calls the function again. It is loaded here, since other functions have
 * no use for it.
 */
export async function durably(handler: Handler): Promise<Handler> {
  const { LocalDurableTestRunner } = await import('@aws/durable-execution-sdk-js-testing');
  await LocalDurableTestRunner.setupTestEnvironment();
  return async (event) => {
    const runner = new LocalDurableTestRunner({ handlerFunction: handler as DurableLambdaHandler });
    const execution = await runner.run({ payload: event });
    if (execution.getStatus() === 'SUCCEEDED') return execution.getResult() as unknown;
    const { errorType = 'Error', errorMessage, stackTrace } = execution.getError();
    const failure = Object.assign(new Error(errorMessage), { name: errorType });
    failure.stack = stackTrace?.join('\n') ?? '';
    throw failure;
  };
}
