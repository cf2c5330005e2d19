import { AwsError } from '../aws/aws-error.ts';

/** Errors of Lambda's Invoke, with the statuses of its model. */
const statuses = {
  InvalidParameterValueException: 400,
  InvalidRequestContentException: 400,
  ResourceNotFoundException: 404,
  DurableExecutionAlreadyStartedException: 409,
  RequestTooLargeException: 413,
} as const;

export function lambdaError(name: keyof typeof statuses, message: string): AwsError {
  return new AwsError(name, statuses[name], message, { Type: 'User' });
}
