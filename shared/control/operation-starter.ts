import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';

export interface OperationStarter {
  /**
   * Has the operations function begin with an operation, and does not wait for it. Asking twice under one name starts one execution.
   *
   * @param executionName Lambda keeps it, also for an execution that has failed: give another one to run the operation again. 1 to 64
   *   letters, digits, `-` and `_`. @default the operation's id
   * @throws LambdaServiceException if Lambda cannot be asked or refuses; then ask again, or leave it to `functions/restart-operations`
   */
  start(operationId: string, executionName?: string): Promise<void>;
}

/**
 * Starts operations, each as a durable execution of its own.
 *
 * @param functionArn with a version or an alias at its end, without which Lambda starts no durable function
 */
export function operationStarterOf(client: LambdaClient, functionArn: string): OperationStarter {
  return {
    start: async (operationId, executionName = operationId) => {
      await client.send(
        new InvokeCommand({
          FunctionName: functionArn,
          InvocationType: 'Event',
          DurableExecutionName: executionName,
          Payload: JSON.stringify({ operationId }),
        }),
      );
    },
  };
}
