import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import { freshConnections } from './fresh-connections.ts';
import { type Twice, withRetries } from './retry.ts';

/** A database, and the login to use there. */
export interface Connection {
  readonly resourceArn: string;
  readonly secretArn: string;
  readonly database: string;
}

/** Values of `:name` parameters, all of which go as text, booleans or null. */
export type Parameters = Readonly<Record<string, string | boolean | null>>;

/** The calls of the RDS Data API that we make. Stays inside of shared/database: with it any statement can be sent. */
export class DataApi {
  /** Retries are ours: the SDK would repeat a COMMIT. */
  readonly #client: RDSDataClient;
  readonly #connections = freshConnections();

  constructor() {
    const { httpAgent, httpsAgent } = this.#connections;
    this.#client = new RDSDataClient({
      maxAttempts: 1,
      requestHandler: { connectionTimeout: 2_000, httpAgent, httpsAgent },
    });
  }

  /** Rows of text or null, as far as columns are text; of anything else undefined. */
  async execute(
    { resourceArn, secretArn, database }: Connection,
    sql: string,
    parameters: Parameters,
    options: { twice: Twice; transactionId?: string | undefined },
  ): Promise<readonly (readonly (string | null | undefined)[])[]> {
    const command = new ExecuteStatementCommand({
      resourceArn,
      secretArn,
      database,
      sql,
      parameters: Object.entries(parameters).map(([name, value]) => sqlParameter(name, value)),
      transactionId: options.transactionId,
    });
    const { records = [] } = await this.#call(options.twice, (limits) => this.#client.send(command, limits));
    return records.map((fields) => fields.map((field) => (field.isNull === true ? null : field.stringValue)));
  }

  /** @returns the id of a transaction */
  async begin({ resourceArn, secretArn, database }: Connection): Promise<string> {
    const command = new BeginTransactionCommand({ resourceArn, secretArn, database });
    const { transactionId } = await this.#call('harmful', (limits) => this.#client.send(command, limits));
    if (transactionId === undefined) throw new Error('The RDS Data API began a transaction without an id.');
    return transactionId;
  }

  async commit({ resourceArn, secretArn }: Connection, transactionId: string): Promise<void> {
    const command = new CommitTransactionCommand({ resourceArn, secretArn, transactionId });
    await this.#call('forbidden', (limits) => this.#client.send(command, limits));
  }

  async rollback({ resourceArn, secretArn }: Connection, transactionId: string): Promise<void> {
    const command = new RollbackTransactionCommand({ resourceArn, secretArn, transactionId });
    await this.#call('harmful', (limits) => this.#client.send(command, limits));
  }

  #call<T>(twice: Twice, send: (limits: { readonly abortSignal: AbortSignal }) => Promise<T>): Promise<T> {
    return withRetries(twice, (abortSignal) => {
      this.#connections.closeStale();
      return send({ abortSignal });
    });
  }
}

function sqlParameter(name: string, value: string | boolean | null): SqlParameter {
  if (value === null) return { name, value: { isNull: true } };
  return { name, value: typeof value === 'boolean' ? { booleanValue: value } : { stringValue: value } };
}
