import { DatabaseError } from 'pg';
import { AwsError } from '../aws/aws-error.ts';

/** Errors of the RDS Data API by name, with their HTTP status (model 2018-08-01). */
export const dataApiErrors = {
  AccessDeniedException: 403,
  BadRequestException: 400,
  DatabaseErrorException: 400,
  DatabaseNotFoundException: 404,
  DatabaseResumingException: 400,
  DatabaseUnavailableException: 504,
  ForbiddenException: 403,
  HttpEndpointNotEnabledException: 400,
  InternalServerErrorException: 500,
  InvalidResourceStateException: 400,
  InvalidSecretException: 400,
  NotFoundException: 404,
  SecretsErrorException: 400,
  ServiceUnavailableError: 503,
  StatementTimeoutException: 400,
  TransactionNotFoundException: 404,
  UnsupportedResultException: 400,
  // Not in the model, but answered all the same.
  InternalFailure: 500,
  ThrottlingException: 429,
  ValidationException: 400,
} as const;

export type DataApiErrorName = keyof typeof dataApiErrors;

/** An error of the RDS Data API. `members` are its fields besides the message. */
export function dataApiError(
  name: DataApiErrorName,
  message: string,
  members?: Readonly<Record<string, unknown>>,
): AwsError {
  return new AwsError(name, dataApiErrors[name], message, members);
}

/** Postgres parses one statement a message, and says so when there are more. */
const multiStatement = 'cannot insert multiple commands into a prepared statement';

/**
 * The AWS error for whatever a Postgres connection failed with: DatabaseErrorException with Postgres's message laid out as
 * its JDBC driver does, since that is what clients of the Data API parse; DatabaseUnavailableException when the server is gone.
 */
export function fromPostgres(error: unknown): AwsError {
  if (error instanceof AwsError) return error;
  if (!(error instanceof DatabaseError)) {
    return dataApiError('DatabaseUnavailableException', `The database is not available: ${String(error)}`);
  }
  if (error.message === multiStatement) {
    return dataApiError('ValidationException', "Multistatements aren't supported.");
  }
  return dataApiError('DatabaseErrorException', `${describe(error)}; SQLState: ${error.code ?? 'XX000'}`);
}

function describe(error: DatabaseError): string {
  const lines = [`${error.severity ?? 'ERROR'}: ${error.message}`];
  if (error.detail) lines.push(`Detail: ${error.detail}`);
  if (error.hint) lines.push(`Hint: ${error.hint}`);
  if (error.position) lines.push(`Position: ${error.position}`);
  if (error.where) lines.push(`Where: ${error.where}`);
  return lines.join('\n  ');
}
