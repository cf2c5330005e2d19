import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { AppError } from '../errors/index.ts';
import { currentTenant, type TenantContext } from '../tenancy/index.ts';
import { asCompiledStatement, type CompiledStatement, statementOf } from './compiled-statement.ts';
import type { DriverProps } from './driver.ts';
import { atHome } from './moves.ts';
import { observed } from './observed.ts';
import { OpenTransaction } from './open-transaction.ts';
import { queryResult } from './query-result.ts';
import type { Row } from './rows.ts';
import { runStatement } from './tenant-statements.ts';

/** A connection in Kysely's sense: single statements, or those of one transaction. It belongs to no tenant before it begins one. */
export class TenantConnection implements DatabaseConnection {
  readonly #props: DriverProps;
  #transaction: OpenTransaction | undefined;

  constructor(props: DriverProps) {
    this.#props = props;
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const query = asCompiledStatement(compiled);
    const context = currentTenant();
    const rows = await observed(
      query.operation,
      async () => await (this.#transaction?.execute(context, query) ?? this.#executeAlone(context, query)),
    );
    return queryResult(query, rows);
  }

  #executeAlone(context: TenantContext, query: CompiledStatement): Promise<readonly Row[]> {
    const { router, dataApi } = this.#props;
    const { isReadOnly } = query;
    const options = { isReadOnly, twice: isReadOnly ? 'harmless' : 'harmful' } as const;
    return atHome(router, context, (home) => runStatement(dataApi, home, context, statementOf(query), options));
  }

  // Kysely wants an iterator also of those who have none.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new AppError(
      'internal',
      'The RDS Data API does not stream. Read pages by key: where id > the last one, limit n.',
    );
  }

  async begin(isReadOnly: boolean): Promise<void> {
    const context = currentTenant();
    this.#transaction = await observed('begin', () => OpenTransaction.begin(this.#props, context, isReadOnly));
  }

  async commit(): Promise<void> {
    await observed('commit', async () => await this.#transaction?.commit());
  }

  async rollback(): Promise<void> {
    await observed('rollback', async () => await this.#transaction?.rollback());
  }
}
