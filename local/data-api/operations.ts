import type { Client } from 'pg';
import { cancelStatement, type Connections, type Lease, type Login } from './connections.ts';
import { dataApiError, fromPostgres } from './errors.ts';
import { bindParameters, type BoundStatement } from './parameters.ts';
import {
  type BatchExecuteStatementRequest,
  type BeginTransactionRequest,
  checkRequest,
  type EndTransactionRequest,
  type ExecuteStatementRequest,
  type Operation,
  requestSchemas as schemas,
} from './requests.ts';
import { toResponse } from './results.ts';
import { runStatement } from './statement.ts';
import type { Transactions } from './transactions.ts';

export interface OperationContext {
  readonly connections: Connections;
  readonly transactions: Transactions;
  /** 45 s on AWS. */
  readonly statementTimeoutMs: number;
  /** Finds out where and as whom to connect. @throws the AWS error for an unknown cluster or secret */
  login(request: Target): Promise<Login>;
}

export interface Target {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database?: string | null | undefined;
  readonly schema?: string | null | undefined;
}

/** Work that goes on after its call was answered keeps the connection until it has settled. */
type KeepBusy = (until: Promise<unknown>) => void;
type Work<Result> = (client: Client, keepBusy: KeepBusy) => Promise<Result>;
type Answer = Readonly<Record<string, unknown>>;

/** What answers a request's JSON, by operation. Every failure is an AwsError. */
export const operations: Readonly<Record<Operation, (context: OperationContext, json: unknown) => Promise<Answer>>> = {
  ExecuteStatement: (context, json) => executeStatement(context, checkRequest(schemas.ExecuteStatement, json)),
  BatchExecuteStatement: (context, json) =>
    batchExecuteStatement(context, checkRequest(schemas.BatchExecuteStatement, json)),
  BeginTransaction: (context, json) => beginTransaction(context, checkRequest(schemas.BeginTransaction, json)),
  CommitTransaction: (context, json) => commitTransaction(context, checkRequest(schemas.CommitTransaction, json)),
  RollbackTransaction: (context, json) => rollbackTransaction(context, checkRequest(schemas.RollbackTransaction, json)),
};

async function executeStatement(context: OperationContext, request: ExecuteStatementRequest): Promise<Answer> {
  const statement = bindParameters(request.sql, request.parameters ?? []);
  return onConnection(context, request, async (client, keepBusy) => {
    const running = runStatement(client, statement);
    if (request.continueAfterTimeout) keepBusy(running);
    const result = await withTimeout(context, client, running, !request.continueAfterTimeout);
    return toResponse(client, result, request);
  });
}

/** Runs the statement once for each parameter set, all in one transaction; no set at all runs nothing. */
async function batchExecuteStatement(
  context: OperationContext,
  request: BatchExecuteStatementRequest,
): Promise<Answer> {
  const statements = (request.parameterSets ?? []).map((set) => bindParameters(request.sql, set));
  return onConnection(context, request, async (client) => {
    if (!request.transactionId) await client.query('begin');
    await withTimeout(context, client, runAll(client, statements), true);
    if (!request.transactionId) await client.query('commit');
    return { updateResults: statements.map(() => ({ generatedFields: [] })) };
  });
}

async function runAll(client: Client, statements: readonly BoundStatement[]): Promise<void> {
  for (const statement of statements) {
    const { fields } = await runStatement(client, statement);
    if (fields) {
      throw dataApiError('DatabaseErrorException', 'A result was returned when none was expected.; SQLState: 0100E');
    }
  }
}

async function beginTransaction(context: OperationContext, request: BeginTransactionRequest): Promise<Answer> {
  refuseSchema(request);
  const login = await context.login(request);
  const lease = await context.connections.acquire(login);
  try {
    await lease.client.query('begin');
  } catch (error) {
    await lease.release();
    throw fromPostgres(error);
  }
  return { transactionId: context.transactions.add(lease, { ...request, database: login.database }) };
}

async function commitTransaction(context: OperationContext, request: EndTransactionRequest): Promise<Answer> {
  return context.transactions.end(request.transactionId, arns(request), async (client) => {
    const { command } = await client.query('commit').catch((error: unknown) => {
      throw fromPostgres(error);
    });
    // Postgres answers so, without an error, when a statement of the transaction had failed.
    if (command === 'ROLLBACK') {
      throw dataApiError(
        'DatabaseErrorException',
        'The database returned ROLLBACK, so the transaction cannot be committed.; SQLState: 25P02',
      );
    }
    return { transactionStatus: 'Transaction Committed' };
  });
}

async function rollbackTransaction(context: OperationContext, request: EndTransactionRequest): Promise<Answer> {
  return context.transactions.end(request.transactionId, arns(request), async (client) => {
    await client.query('rollback').catch((error: unknown) => {
      throw fromPostgres(error);
    });
    return { transactionStatus: 'Rollback Complete' };
  });
}

/** Runs `work` on the request's transaction, or on a connection for this call alone. */
async function onConnection<Result>(
  context: OperationContext,
  request: Target & { readonly transactionId?: string | null | undefined },
  work: Work<Result>,
): Promise<Result> {
  refuseSchema(request);
  const translated: Work<Result> = (client, keepBusy) =>
    work(client, keepBusy).catch((error: unknown) => {
      throw fromPostgres(error);
    });
  if (request.transactionId) {
    const target = { ...arns(request), ...(request.database && { database: request.database }) };
    return context.transactions.use(request.transactionId, target, translated);
  }
  return onLease(await context.connections.acquire(await context.login(request)), translated);
}

async function onLease<Result>(lease: Lease, work: Work<Result>): Promise<Result> {
  let pending: Promise<unknown> = Promise.resolve();
  try {
    return await work(lease.client, (until) => void (pending = until));
  } finally {
    // The answer does not wait for the session to be wiped.
    const release = (): Promise<void> => lease.release();
    void pending.then(release, release);
  }
}

/** Waits for `running` as long as the Data API does; then stops it, unless it is to go on unseen. */
async function withTimeout<Result>(
  context: OperationContext,
  client: Client,
  running: Promise<Result>,
  stop: boolean,
): Promise<Result> {
  const timedOut = Promise.withResolvers<'timed out'>();
  const timer = setTimeout(() => timedOut.resolve('timed out'), context.statementTimeoutMs);
  const first = await Promise.race([running, timedOut.promise]).finally(() => clearTimeout(timer));
  if (first !== 'timed out') return first;
  if (stop) {
    await cancelStatement(client);
    await running.catch(() => undefined);
  } else {
    running.catch(() => undefined);
  }
  const { processID: dbConnectionId } = client as unknown as { processID: number };
  throw dataApiError('StatementTimeoutException', 'Request timed out', { dbConnectionId });
}

function arns({ resourceArn, secretArn }: Target): { resourceArn: string; secretArn: string } {
  return { resourceArn, secretArn };
}

function refuseSchema({ schema }: Target): void {
  if (schema) throw dataApiError('ValidationException', "The schema parameter isn't supported");
}
