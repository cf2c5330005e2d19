import {
  BeginTransactionCommand,
  ExecuteStatementCommand,
  type ExecuteStatementCommandInput,
  type ExecuteStatementCommandOutput,
  RDSDataClient,
  type SqlParameter,
} from '@aws-sdk/client-rds-data';
import { type DataApi, type DataApiOptions, startDataApi } from '../../local/data-api/server.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { workerPostgres } from './worker-postgres.ts';

const testResourceArn = 'arn:aws:rds:eu-central-1:000000000000:cluster:test';
/** Secret of the superuser's login. */
const testSecretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:superuser-abcdef';

/** A local Data API over a database of a test file's own, and the unmodified client of AWS. */
export interface TestDataApi extends AsyncDisposable {
  readonly api: DataApi;
  readonly client: RDSDataClient;
  readonly database: TestDatabase;
  /** What every request names. */
  readonly target: { readonly resourceArn: string; readonly secretArn: string; readonly database: string };
  execute(
    sql: string,
    parameters?: SqlParameter[],
    more?: Partial<ExecuteStatementCommandInput>,
  ): Promise<ExecuteStatementCommandOutput>;
  begin(): Promise<string>;
}

export async function startTestDataApi(options: Partial<DataApiOptions> = {}): Promise<TestDataApi> {
  const database = await createTestDatabase();
  const { port, password } = workerPostgres();
  const api = await startDataApi({
    clusters: { [testResourceArn]: { host: '127.0.0.1', port } },
    secret: async (arn) => (arn === testSecretArn ? { username: 'postgres', password } : undefined),
    ...options,
  });
  const client = new RDSDataClient({
    endpoint: api.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  const target = { resourceArn: testResourceArn, secretArn: testSecretArn, database: database.name };
  return {
    api,
    client,
    database,
    target,
    execute: (sql, parameters = [], more = {}) =>
      client.send(new ExecuteStatementCommand({ ...target, sql, parameters, ...more })),
    begin: async () => {
      const { transactionId } = await client.send(new BeginTransactionCommand(target));
      if (transactionId === undefined) throw new Error('BeginTransaction answered no id.');
      return transactionId;
    },
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await api.stop();
      await database[Symbol.asyncDispose]();
    },
  };
}
