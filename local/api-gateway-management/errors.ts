import { AwsError } from '../aws/aws-error.ts';

/** Errors of API Gateway's management API, with the statuses of its model. */
const statuses = {
  BadRequestException: 400,
  NotFoundException: 404,
  ConflictException: 409,
  LimitExceededException: 429,
} as const;

export function managementError(name: keyof typeof statuses, message: string): AwsError {
  return new AwsError(name, statuses[name], message);
}

/** @param waitMs until a call of this kind is taken again */
export function tooManyRequests(waitMs: number): AwsError {
  const headers = { 'retry-after': String(Math.max(1, Math.ceil(waitMs / 1_000))) };
  return new AwsError('TooManyRequestsException', 429, 'Too Many Requests', {}, headers);
}
