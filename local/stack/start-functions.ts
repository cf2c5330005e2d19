import { availableParallelism } from 'node:os';
import { readDeployedFunctions } from '../lambda-api/deployed-functions.ts';
import { type LambdaApi, startLambdaApi } from '../lambda-api/server.ts';
import { Functions } from '../lambda/functions.ts';
import { readRules, targetsOf } from '../event-bridge/rules.ts';
import type { TakenEvent } from '../event-bridge/server.ts';
import { readSchedules } from '../schedules/definition.ts';
import { Schedules } from '../schedules/schedules.ts';
import type { Deployment } from '../template/deployment.ts';
import { restartForgotten } from './restart-forgotten.ts';
import type { Stoppables } from './stoppables.ts';

export interface RunningFunctions {
  readonly functions: Functions;
  /** Lambda, for functions that invoke others. */
  readonly lambda: LambdaApi;
  /** Invokes what the template's rules have events delivered to, in the background. */
  readonly deliver: (taken: TakenEvent) => void;
  /** Begins with what runs without being asked: at first what an earlier run has left undone, then what runs at a rate. */
  readonly startBackground: () => Promise<void>;
}

export interface FunctionsOptions {
  readonly deployment: Deployment;
  /** `AWS_ENDPOINT_URL_…` of this machine's services but Lambda. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Values for environment keys whose AWS counterpart does not exist here. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly logFolder: string;
  /** Shows a line on the terminal. */
  readonly print: (line: string) => void;
  readonly stoppables: Stoppables;
}

/** Makes the functions of a deployment ready to be invoked: by gateways, by each other, by schedules, and by events. */
export async function startFunctions(options: FunctionsOptions): Promise<RunningFunctions> {
  const startedAt = new Date();
  const { deployment, endpoints, overrides, logFolder, stoppables } = options;
  const print = (line: string): void => {
    // Those that are ended in the middle of something have not failed.
    if (!stoppables.isStopping) options.print(line);
  };
  const lambda: LambdaApi = await stoppables.add(
    startLambdaApi({
      functions: readDeployedFunctions(deployment),
      invoke: (arn, event) => functions.invoke(arn, event),
      onGivenUp: print,
    }),
  );
  const functions: Functions = new Functions({
    deployment,
    endpoints: { ...endpoints, AWS_ENDPOINT_URL_LAMBDA: lambda.url },
    overrides,
    logFolder,
    onCrash: print,
    maxProcesses: Math.max(2, availableParallelism() * 2),
  });
  await stoppables.add(functions);
  const schedules = readSchedules(deployment);
  const rules = readRules(deployment);
  return {
    functions,
    lambda,
    deliver: (taken) => {
      for (const arn of targetsOf(taken, rules)) {
        lambda
          .invokeEvent(arn, taken.event)
          .catch((error: unknown) => print(`An event was not delivered: ${String(error)}`));
      }
    },
    startBackground: async () => {
      await restartForgotten(deployment, lambda, startedAt);
      if (stoppables.isStopping) return;
      await stoppables.add(
        new Schedules(schedules, ({ functionArn, event }) => lambda.invokeEvent(functionArn, event)),
      );
    },
  };
}
