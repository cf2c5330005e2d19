import { AwsError } from '../aws/aws-error.ts';
import { AwsAnswer, type AwsEndpoint, type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import type { InvocationResult } from '../lambda/function-process.ts';
import { type DeployedFunction, findMeant, type Meant } from './deployed-functions.ts';
import { type DurableExecution, DurableExecutions } from './durable-executions.ts';
import { lambdaError } from './errors.ts';
import { EventQueue, lambdaRetryDelaysMs } from './event-queue.ts';
import { type InvokeRequest, readInvokeRequest } from './invoke-request.ts';

export interface LambdaApiOptions {
  readonly functions: readonly DeployedFunction[];
  /** Runs a function. A durable one is run to the end of its execution. */
  readonly invoke: (arn: string, event: unknown) => Promise<InvocationResult>;
  /** Told of an event whose every try has failed. */
  readonly onGivenUp: (line: string) => void;
  /** Pauses before the tries after the first one. @default those of Lambda */
  readonly retryDelaysMs?: readonly number[];
  /** Missing or 0: any free port. */
  readonly port?: number;
}

export interface LambdaApi extends AwsEndpoint {
  /** Invokes a function asynchronously, as other services do. Resolves when that has succeeded or was given up. */
  invokeEvent(reference: string, event: unknown): Promise<void>;
}

/**
 * Serves Lambda's Invoke on 127.0.0.1, for events and for answers that are waited for, of durable functions too: same protocol and
 * errors, so that the SDK works unchanged.
 */
export async function startLambdaApi(options: LambdaApiOptions): Promise<LambdaApi> {
  const { functions, invoke, onGivenUp, retryDelaysMs = lambdaRetryDelaysMs, port = 0 } = options;
  const executions = new DurableExecutions();
  const queue = new EventQueue(retryDelaysMs, onGivenUp);

  const runEvent = async (
    { called, qualifier }: Meant,
    event: unknown,
    execution?: DurableExecution,
  ): Promise<void> => {
    // What an execution has come to, it has come to: its steps were tried again within it.
    const retries = execution ? 0 : (called.retries.get(qualifier) ?? Infinity);
    await queue.invoke(called.name, () => execution?.result ?? invoke(called.arn, event), retries);
  };
  const begin = (meant: Meant, { event, executionName }: InvokeRequest): DurableExecution | undefined => {
    if (!meant.called.isDurable) return undefined;
    return executions.start(meant, event, () => invoke(meant.called.arn, event), executionName);
  };
  const handle = async (request: AwsRequest): Promise<AwsAnswer> => {
    const asked = readInvokeRequest(request);
    const meant = findMeant(functions, asked.reference, asked.qualifier);
    checkDurable(meant, asked);
    const execution = begin(meant, asked);
    const headers = execution ? { 'x-amz-durable-execution-arn': execution.arn } : {};
    if (asked.type === 'Event') {
      void runEvent(meant, asked.event, execution);
      return new AwsAnswer(202, undefined, headers);
    }
    const { payload, isError } = await (execution?.result ?? invoke(meant.called.arn, asked.event));
    return new AwsAnswer(200, Buffer.from(payload), {
      ...headers,
      'x-amz-executed-version': meant.qualifier,
      ...(isError && { 'x-amz-function-error': 'Unhandled' }),
    });
  };

  const endpoint = await startAwsEndpoint({
    port,
    signingName: 'lambda',
    contentType: 'application/json',
    requestLimitBytes: 8 * 1024 * 1024,
    handle,
    internalError: (cause) => new AwsError('ServiceException', 500, String(cause)),
  });
  return {
    url: endpoint.url,
    invokeEvent: async (reference, event) => {
      const meant = findMeant(functions, reference, undefined);
      await runEvent(meant, event, begin(meant, { reference, event, type: 'Event' }));
    },
    stop: async () => {
      queue.stop();
      await endpoint.stop();
    },
  };
}

/** @throws AwsError InvalidParameterValueException, in AWS's words where they are known */
function checkDurable({ called, isQualified }: Meant, { executionName }: InvokeRequest): void {
  if (called.isDurable && !isQualified) {
    throw lambdaError(
      'InvalidParameterValueException',
      'You cannot invoke a durable function using an unqualified ARN.',
    );
  }
  if (!called.isDurable && executionName !== undefined) {
    throw lambdaError(
      'InvalidParameterValueException',
      `${called.name} is no durable function: its runs have no names.`,
    );
  }
}
