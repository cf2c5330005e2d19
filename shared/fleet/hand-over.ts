import { InvokeCommand, type LambdaClient } from '@aws-sdk/client-lambda';
import type { Progress } from './progress.ts';

export interface FleetFunctions {
  /** What goes on with a fleet, with an alias at its end, without which Lambda starts no durable function. */
  readonly fleetFunctionArn: string;
  /** The migration runner, by name or ARN. Its newest version goes on: an older one would publish older migrations beside a newer deployment. */
  readonly functionName: string;
}

/**
 * Leaves what is left of a run to a durable execution, which has the migration runner go on with it.
 *
 * @throws LambdaServiceException if Lambda cannot be asked or refuses. May be asked again: however often that is, one goes on
 */
export async function handOver(
  client: LambdaClient,
  { fleetFunctionArn, functionName }: FleetFunctions,
  progress: Progress,
): Promise<void> {
  await client.send(
    new InvokeCommand({
      FunctionName: fleetFunctionArn,
      InvocationType: 'Event',
      DurableExecutionName: progress.run,
      Payload: JSON.stringify({ functionName, progress }),
    }),
  );
}
