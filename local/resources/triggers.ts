import * as z from 'zod';
import type { Functions } from '../lambda/functions.ts';
import { readReportedError } from '../lambda/messages.ts';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';
import { StartupError } from '../stack/startup-error.ts';
import { parseUntyped } from '../untyped.ts';

const triggerShape = {
  type: 'Custom::Trigger',
  schema: z.strictObject({
    HandlerArn: z.string(),
    InvocationType: z.literal('RequestResponse').default('RequestResponse'),
  }),
  ignored: ['ExecuteOnHandlerChange', 'ServiceToken', 'Timeout'],
} satisfies ResourceShape<z.ZodType>;

/** ARNs of the functions that a deployment runs, in order. */
export function readTriggers(deployment: Deployment): string[] {
  return readAll(deployment, triggerShape).map(({ properties }) => properties.HandlerArn);
}

/** Runs what a deployment runs, such as migrations. @throws StartupError if a function fails, as the deployment would. */
export async function runTriggers(functionArns: readonly string[], functions: Functions): Promise<void> {
  for (const arn of functionArns) await invokeAtStart(arn, {}, functions);
}

/** What a function answers, without which there is no stack. @throws StartupError if it fails */
export async function invokeAtStart(arn: string, event: unknown, functions: Functions): Promise<unknown> {
  const { payload, isError } = await functions.invoke(arn, event);
  if (!isError) return parseUntyped(payload);
  const { errorType, errorMessage, trace } = readReportedError(payload);
  throw new StartupError(
    [`${functions.name(arn)} failed, as it would fail a deployment: ${errorType}: ${errorMessage}`, ...trace].join(
      '\n',
    ),
  );
}
