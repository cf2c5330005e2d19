import {
  BeginTransactionCommand,
  CommitTransactionCommand,
  ExecuteStatementCommand,
  RDSDataClient,
  RollbackTransactionCommand,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
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
  readonly #client = new RDSDataClient({ maxAttempts: 1, requestHandler: { connectionTimeout: 2_000 } });

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
    const send = (abortSignal: AbortSignal) => this.#client.send(command, { abortSignal });
    const { records = [] } = await withRetries(options.twice, send);
    return records.map((fields) => fields.map((field) => (field.isNull === true ? null : field.stringValue)));
  }

  /** @returns the id of a transaction */
  async begin({ resourceArn, secretArn, database }: Connection): Promise<string> {
    const command = new BeginTransactionCommand({ resourceArn, secretArn, database });
    const send = (abortSignal: AbortSignal) => this.#client.send(command, { abortSignal });
    const { transactionId } = await withRetries('harmful', send);
    if (transactionId === undefined) throw new Error('The RDS Data API began a transaction without an id.');
    return transactionId;
  }

  async commit({ resourceArn, secretArn }: Connection, transactionId: string): Promise<void> {
    const command = new CommitTransactionCommand({ resourceArn, secretArn, transactionId });
    await withRetries('forbidden', (abortSignal) => this.#client.send(command, { abortSignal }));
  }

  async rollback({ resourceArn, secretArn }: Connection, transactionId: string): Promise<void> {
    const command = new RollbackTransactionCommand({ resourceArn, secretArn, transactionId });
    await withRetries('harmful', (abortSignal) => this.#client.send(command, { abortSignal }));
  }
}

function sqlParameter(name: string, value: string | boolean | null): SqlParameter {
  if (value === null) return { name, value: { isNull: true } };
  return { name, value: typeof value === 'boolean' ? { booleanValue: value } : { stringValue: value } };
}
