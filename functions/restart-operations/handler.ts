import { LambdaClient } from '@aws-sdk/client-lambda';
import * as z from 'zod';
import { loadConfig } from '../../shared/config/index.ts';
import { claimUntouchedOperations, oldestUnfinishedSeconds, operationStarterOf } from '../../shared/control/index.ts';
import { publishMeasurements } from '../../shared/metrics/index.ts';
import { restartOperations } from './service.ts';

const { operationsFunctionArn, restartAfterSeconds } = loadConfig('operationsFunctionArn', 'restartAfterSeconds');
const starter = operationStarterOf(new LambdaClient(), operationsFunctionArn);

/** Operations of a run. More have to wait for the next one, rather than all of them coming at once. */
const most = 100;

const eventSchema = z.object({
  /** Restarts what nobody has touched since this time, however short ago: after an incident, or when all executions are lost. */
  untouchedSince: z.iso.datetime().optional(),
});

/** Starts operations again that nobody goes on with: each minute. */
export async function handler(event: unknown): Promise<void> {
  const { untouchedSince } = eventSchema.parse(event);
  const since = new Date(untouchedSince ?? Date.now() - restartAfterSeconds * 1_000);
  publishMeasurements('restart-operations', { unfinishedOperationAge: await oldestUnfinishedSeconds() });
  const restarted = await restartOperations(() => claimUntouchedOperations(since, most), starter);
  if (restarted > 0) publishMeasurements('restart-operations', { restartedOperations: restarted });
}
