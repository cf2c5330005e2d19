import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Progress } from './progress.ts';

/**
 * Leaves what there was no time for to a durable execution, which has this function go on with it.
 *
 * @param fleetFunctionArn with an alias at its end, without which Lambda starts no durable function
 * @param functionName this function's own. Its newest version goes on: an older one would publish older migrations beside a newer deployment
 */
export async function handOver(
  client: LambdaClient,
  { fleetFunctionArn, functionName }: { readonly fleetFunctionArn: string; readonly functionName: string },
  progress: Progress,
): Promise<void> {
  await client.send(
    new InvokeCommand({
      FunctionName: fleetFunctionArn,
      InvocationType: 'Event',
      // However often this is asked, one goes on.
      DurableExecutionName: progress.run,
      Payload: JSON.stringify({ functionName, progress }),
    }),
  );
}
