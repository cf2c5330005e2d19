import type { ErrorCode } from '../errors/index.ts';

/**
 * After which failures a call may be made again:
 * - `always`: nothing has run, so any statement may be sent again
 * - `reads`: it may have run, so only what changes nothing
 * - `never`: it would fail again, or nobody knows what has happened
 */
export type Repeat = 'always' | 'reads' | 'never';

export interface ErrorRow {
  readonly code: ErrorCode;
  /** Shown to clients below status 500, so without anything from the database but what is written here. */
  readonly message: string;
  /** @default 'never' */
  readonly repeat?: Repeat;
  /** Becomes `Retry-After` when we have given up. */
  readonly retryAfterSeconds?: number;
}

const unavailable = (message: string, repeat: Repeat): ErrorRow => ({
  code: 'database-unavailable',
  message,
  repeat,
  retryAfterSeconds: 5,
});
const misconfigured = (message: string): ErrorRow => ({ code: 'internal', message });

const tooLarge: ErrorRow = {
  code: 'result-too-large',
  message: 'The result is larger than 1 MiB, or one of its rows than 64 KB. Ask for a smaller page.',
};

/** By name of the exception, as the RDS Data API and the layers before it send it. */
export const dataApiErrors: Readonly<Record<string, ErrorRow>> = {
  AccessDeniedException: misconfigured('The function may not use the RDS Data API. Grant it rds-data on the cluster.'),
  BadRequestException: misconfigured('The RDS Data API did not understand the call.'),
  DatabaseErrorException: misconfigured('The database refused the statement.'),
  DatabaseNotFoundException: misconfigured('The cluster has no database instance.'),
  DatabaseResumingException: unavailable('The database is being resumed after a pause.', 'always'),
  DatabaseUnavailableException: unavailable('The writer of the cluster is not available.', 'reads'),
  ForbiddenException: misconfigured('The function may not use the RDS Data API on this cluster.'),
  HttpEndpointNotEnabledException: misconfigured('The RDS Data API is not enabled on the cluster.'),
  InternalServerErrorException: unavailable('The RDS Data API had an internal error.', 'reads'),
  InvalidResourceStateException: unavailable('The cluster is in a state that takes no statements.', 'reads'),
  InvalidSecretException: misconfigured('The secret of the database login is not valid.'),
  NotFoundException: misconfigured('The cluster or the secret of the database login was not found.'),
  SecretsErrorException: unavailable('The secret of the database login could not be read.', 'always'),
  ServiceUnavailableError: unavailable('The RDS Data API is not available.', 'reads'),
  StatementTimeoutException: {
    code: 'statement-timeout',
    message: 'The statement took longer than the database allows.',
  },
  TransactionNotFoundException: unavailable(
    'The transaction had ended: it was idle for too long, or the database was restarted.',
    'never',
  ),
  UnsupportedResultException: tooLarge,
  // Before the RDS Data API proper
  ThrottlingException: unavailable('The RDS Data API is taking no more calls for now.', 'always'),
  TooManyRequestsException: unavailable('The RDS Data API is taking no more calls for now.', 'always'),
  // Our own end
  AbortError: {
    code: 'statement-timeout',
    message: 'The database did not answer within the time that the request has.',
  },
  TimeoutError: unavailable('The RDS Data API did not answer in time.', 'reads'),
};

/** By error code of Node.js, when no answer came. */
export const networkErrors: Readonly<Record<string, ErrorRow>> = {
  ...named(['ECONNREFUSED', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH', 'ENETUNREACH'], {
    ...unavailable('The RDS Data API could not be reached.', 'always'),
  }),
  ...named(['ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET'], {
    ...unavailable('The connection to the RDS Data API broke.', 'reads'),
  }),
};

/** By SQLSTATE, or by its class: the first two characters. */
export const sqlStates: Readonly<Record<string, ErrorRow>> = {
  // The kernel's own
  TN001: misconfigured('No tenant context set: the statement carried no capability.'),
  TN002: { code: 'unauthorized', message: 'The proof of the tenant is not genuine. Get a new token.' },
  TN003: { code: 'token-expired', message: 'The token has expired. Get a new one and send the request again.' },
  TN004: {
    code: 'tenant-moving',
    message: 'The tenant is not at home where the statement was sent.',
    retryAfterSeconds: 1,
  },
  TN005: { code: 'tenant-suspended', message: 'The tenant is suspended.' },
  TN006: {
    code: 'tenant-moving',
    message: 'The tenant is being moved and takes no writes for now.',
    retryAfterSeconds: 1,
  },
  TN007: misconfigured(
    'Tenant data is written under READ COMMITTED only. Start the transaction without an isolation level.',
  ),
  TN008: misconfigured('A table was refused by tenancy.protect().'),
  TN010: misconfigured(
    'A statement begins with select, insert, update, delete, merge, with, values or table. EXPLAIN is for the owner of the tables.',
  ),
  TN013: {
    code: 'operation-in-progress',
    message: 'Another execution of the operation goes on with it, or has ended it.',
  },
  // Where the tenant lived before, and nothing is left
  '28': misconfigured('The database refused the login.'),
  '3D': misconfigured('There is no such database.'),
  // What the request did
  '23505': { code: 'conflict', message: 'A resource with the same key exists already.' },
  '23P01': { code: 'conflict', message: 'The change collides with another resource.' },
  '23503': { code: 'reference-not-found', message: 'The request refers to a resource that does not exist.' },
  '23502': { code: 'constraint-violated', message: 'A value that is required is missing.' },
  '23514': { code: 'constraint-violated', message: 'A value is outside of what its column allows.' },
  '23': { code: 'constraint-violated', message: 'The change breaks a rule of the data.' },
  '22': { code: 'validation-failed', message: 'A value does not have the form or the range that its place requires.' },
  '21000': misconfigured('A sub-query returned more than one row, or a row was to be changed twice.'),
  '42501': misconfigured('The database login lacks a privilege.'),
  // What the database could not do just now
  '57014': { code: 'statement-timeout', message: 'The statement took longer than the database allows.' },
  '40003': unavailable('Nobody knows whether the statement has run to its end.', 'reads'),
  '40': unavailable('The statement was rolled back, since it collided with another.', 'always'),
  '55P03': unavailable('A lock that the statement needs was taken.', 'always'),
  '53300': unavailable('The database has no connection left.', 'always'),
  '53': unavailable('The database is short of a resource.', 'reads'),
  '57P03': unavailable('The database is starting.', 'always'),
  '57P': unavailable('The database is being restarted.', 'reads'),
  '08': unavailable('The connection to the database broke.', 'reads'),
  '58': unavailable('The database had an error of its system.', 'reads'),
  // Faults of a query or a migration
  '25006': misconfigured(
    'A query that should only read tried to write. Write with insertInto(), updateTable() or deleteFrom().',
  ),
  '25P02': misconfigured('The transaction had failed before, at an earlier statement.'),
  '42P11': misconfigured(
    'The text is not one statement that returns rows. Use a query builder, or add RETURNING to an sql fragment that writes.',
  ),
};

/** Messages by which the RDS Data API tells what it has no exception for. */
export const messagePatterns: readonly (readonly [RegExp, ErrorRow])[] = [
  [/response size limit|row size|result.*too large|exceed.*(64 ?KB|1 ?Mi?B)/i, tooLarge],
  [/did not establish a connection/i, unavailable('The RDS Data API could not be reached.', 'always')],
  [/still running a query/i, { ...misconfigured('Two statements ran in one transaction at once.'), repeat: 'always' }],
];

export const special = {
  stillReferenced: { code: 'constraint-violated', message: 'Other resources still refer to this one.' },
  foreignTenant: { code: 'forbidden', message: 'The change reaches beyond the current tenant.' },
  unknownTenant: { code: 'tenant-unknown', message: 'The registry knows no such tenant.' },
  serverError: unavailable('The RDS Data API had an error.', 'reads'),
  unknown: misconfigured('The database call failed in a way that nobody has foreseen.'),
} as const satisfies Record<string, ErrorRow>;

function named(names: readonly string[], row: ErrorRow): Record<string, ErrorRow> {
  return Object.fromEntries(names.map((name) => [name, row]));
}
