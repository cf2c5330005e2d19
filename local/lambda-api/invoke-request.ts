import { AwsError } from '../aws/aws-error.ts';
import type { AwsRequest } from '../aws/endpoint.ts';
import { parseUntyped } from '../untyped.ts';
import { lambdaError } from './errors.ts';

export interface InvokeRequest {
  /** Name or ARN of the function. */
  readonly reference: string;
  readonly qualifier?: string | undefined;
  readonly type: 'Event' | 'RequestResponse';
  readonly executionName?: string | undefined;
  readonly event: unknown;
}

const route = /^\/2015-03-31\/functions\/([^/]+)\/invocations$/;
const executionNames = /^[\w-]{1,64}$/;
/** Bytes of a payload: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html#function-configuration-deployment-and-execution */
const payloadLimits = { RequestResponse: 6 * 1024 * 1024, Event: 1024 * 1024 };
/** Of an Invoke, but nothing that the project asks for. */
const unsupportedHeaders = ['x-amz-client-context', 'x-amz-tenant-id'];

/** What an Invoke asks for. @throws AwsError for what is no Invoke, or one that cannot be done here */
export function readInvokeRequest({ method, path, query, headers, body }: AwsRequest): InvokeRequest {
  const reference = method === 'POST' ? route.exec(path)?.[1] : undefined;
  if (reference === undefined) {
    throw new AwsError(
      'UnknownOperationException',
      404,
      `${method} ${path} is not supported here. Supported is Invoke.`,
    );
  }
  const header = (name: string): string | undefined => headers[name]?.toString();
  const type = header('x-amz-invocation-type') ?? 'RequestResponse';
  if (type !== 'Event' && type !== 'RequestResponse') {
    throw lambdaError('InvalidParameterValueException', `The invocation type ${type} is not supported here.`);
  }
  const refused = unsupportedHeaders.find((name) => name in headers);
  if (refused !== undefined || header('x-amz-log-type') === 'Tail') {
    throw lambdaError('InvalidParameterValueException', `${refused ?? 'x-amz-log-type'} is not supported here.`);
  }
  const executionName = header('x-amz-durable-execution-name');
  if (executionName !== undefined && !executionNames.test(executionName)) {
    throw lambdaError('InvalidParameterValueException', `${executionName} is no name of a durable execution.`);
  }
  const event = readPayload(body, payloadLimits[type]);
  return {
    reference: decodeURIComponent(reference),
    qualifier: query.get('Qualifier') ?? undefined,
    type,
    executionName,
    event,
  };
}

function readPayload(body: string, limitBytes: number): unknown {
  const size = Buffer.byteLength(body);
  if (size > limitBytes) {
    throw lambdaError(
      'RequestTooLargeException',
      `Request must be smaller than ${limitBytes} bytes for the InvokeFunction operation`,
    );
  }
  try {
    return body === '' ? {} : parseUntyped(body);
  } catch (error) {
    throw lambdaError('InvalidRequestContentException', `Could not parse request body into json: ${String(error)}`);
  }
}
