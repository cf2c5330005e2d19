import { setTimeout as sleep } from 'node:timers/promises';
import { AwsError } from '../aws/aws-error.ts';
import { type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import { Connections, type Login } from './connections.ts';
import { dataApiError } from './errors.ts';
import { type Fault, faultError, Faults } from './faults.ts';
import { type OperationContext, operations, type Target } from './operations.ts';
import { type Operation, parseBody } from './requests.ts';
import { Transactions } from './transactions.ts';

export interface DataApiCall {
  readonly operation: Operation;
  /** The request as it was sent: `resourceArn`, `database`, `sql`, `parameters` and so on. */
  readonly request: unknown;
  readonly durationMs: number;
  /** The AWS error that the call was answered with. */
  readonly error: AwsError | undefined;
}

export interface DataApiOptions {
  /** Missing or 0: any free port. */
  readonly port?: number;
  /** Postgres servers by cluster ARN. */
  readonly clusters: Readonly<Record<string, { readonly host: string; readonly port: number }>>;
  /** Login that a secret holds, or nothing if there is no such secret. */
  readonly secret: (arn: string) => Promise<{ username: string; password: string } | undefined>;
  /** Database of requests that name none. @default postgres */
  readonly defaultDatabase?: string;
  /** Delay added to every call, as the network of a real endpoint has. @default 0 */
  readonly latencyMs?: number;
  /** Told of every call once it is answered. */
  readonly onCall?: (call: DataApiCall) => void;
  /** Most connections to one Postgres server. @default 80 */
  readonly connectionLimit?: number;
  /** @default 45000, as on AWS */
  readonly statementTimeoutMs?: number;
  /** @default 180000, as on AWS */
  readonly transactionIdleMs?: number;
  /** @default 86400000, as on AWS */
  readonly transactionLifetimeMs?: number;
}

export interface DataApi {
  readonly url: string;
  /** Calls since the start, by operation. */
  readonly calls: Readonly<Record<Operation, number>>;
  setLatency(milliseconds: number): void;
  inject(fault: Fault): void;
  /** Closes connections that no call is using, for instance because a database is about to be dropped. */
  closeIdleConnections(): Promise<void>;
  stop(): Promise<void>;
}

const paths: Readonly<Record<string, Operation>> = {
  '/Execute': 'ExecuteStatement',
  '/BatchExecute': 'BatchExecuteStatement',
  '/BeginTransaction': 'BeginTransaction',
  '/CommitTransaction': 'CommitTransaction',
  '/RollbackTransaction': 'RollbackTransaction',
};

/**
 * Serves the RDS Data API for local Postgres servers on 127.0.0.1, as an Aurora PostgreSQL cluster (provisioned or
 * Serverless v2) does: same protocol, limits and errors, so that any client of it works unchanged.
 */
export async function startDataApi(options: DataApiOptions): Promise<DataApi> {
  const connections = new Connections({ limit: options.connectionLimit ?? 80, idleMs: 10_000, waitMs: 30_000 });
  const transactions = new Transactions({
    idleMs: options.transactionIdleMs ?? 3 * 60_000,
    lifetimeMs: options.transactionLifetimeMs ?? 24 * 3_600_000,
  });
  const context: OperationContext = {
    connections,
    transactions,
    statementTimeoutMs: options.statementTimeoutMs ?? 45_000,
    login: (target) => login(options, target),
  };
  const calls: Record<Operation, number> = {
    ExecuteStatement: 0,
    BatchExecuteStatement: 0,
    BeginTransaction: 0,
    CommitTransaction: 0,
    RollbackTransaction: 0,
  };
  const faults = new Faults();
  let latencyMs = options.latencyMs ?? 0;
  const handle = async (request: AwsRequest): Promise<unknown> => {
    const operation = route(request);
    calls[operation] += 1;
    if (latencyMs > 0) await sleep(latencyMs);
    return answer(options, context, faults.take(operation), operation, parseBody(request.body));
  };

  const endpoint = await startAwsEndpoint({
    port: options.port ?? 0,
    signingName: 'rds-data',
    contentType: 'application/json',
    requestLimitBytes: 4 * 1024 * 1024,
    handle,
    internalError: (cause) => dataApiError('InternalServerErrorException', String(cause)),
  });
  return {
    url: endpoint.url,
    calls,
    setLatency: (milliseconds) => void (latencyMs = milliseconds),
    inject: (fault) => faults.inject(fault),
    closeIdleConnections: () => connections.closeIdle(),
    stop: async () => {
      await endpoint.stop();
      transactions.clear();
      await connections.stop();
    },
  };
}

function route({ method, path }: AwsRequest): Operation {
  if (path === '/ExecuteSql') {
    throw dataApiError(
      'BadRequestException',
      'The ExecuteSql operation is not supported. Use ExecuteStatement instead.',
    );
  }
  const operation = paths[path];
  if (method === 'POST' && operation) return operation;
  throw new AwsError(
    'UnknownOperationException',
    404,
    `${method} ${path} is no operation of the RDS Data API. Known are POST ${Object.keys(paths).join(', ')}.`,
  );
}

/** Runs an operation, or what a fault makes of it, and reports it. */
async function answer(
  options: DataApiOptions,
  context: OperationContext,
  fault: Fault | undefined,
  operation: Operation,
  request: unknown,
): Promise<unknown> {
  const startedAt = performance.now();
  let error: AwsError | undefined;
  try {
    if (fault && fault.when !== 'after') throw faultError(fault);
    const response = await operations[operation](context, request);
    if (fault) throw faultError(fault);
    return response;
  } catch (cause) {
    error = cause instanceof AwsError ? cause : undefined;
    throw cause;
  } finally {
    options.onCall?.({ operation, request, durationMs: performance.now() - startedAt, error });
  }
}

async function login(options: DataApiOptions, target: Target): Promise<Login> {
  const server = options.clusters[target.resourceArn];
  if (!server) {
    throw dataApiError(
      'HttpEndpointNotEnabledException',
      `HttpEndpoint is not enabled for cluster ${target.resourceArn}`,
    );
  }
  const secret = await options.secret(target.secretArn);
  if (!secret) {
    throw dataApiError('SecretsErrorException', `Secrets Manager can't find the specified secret: ${target.secretArn}`);
  }
  if (!secret.username || !secret.password) {
    throw dataApiError('InvalidSecretException', `The secret ${target.secretArn} has no username and password.`);
  }
  const database = target.database || (options.defaultDatabase ?? 'postgres');
  return { host: server.host, port: server.port, database, user: secret.username, password: secret.password };
}
