import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { AppError } from '../errors/index.ts';
import { currentTenant, type TenantContext } from '../tenancy/index.ts';
import { asCompiledStatement, type CompiledStatement, statementOf } from './compiled-statement.ts';
import type { DriverProps } from './driver.ts';
import { atHome } from './moves.ts';
import { observed } from './observed.ts';
import { queryResult } from './query-result.ts';
import type { Home } from './router.ts';
import { runStatement } from './tenant-statements.ts';

interface OpenTransaction {
  readonly id: string;
  readonly home: Home;
  readonly context: TenantContext;
  readonly isReadOnly: boolean;
  /** Ends when the last statement so far has: the RDS Data API runs one at a time in a transaction. */
  last: Promise<unknown>;
}

/** A connection in Kysely's sense: statements of their own, or those of one transaction. It belongs to no tenant until it begins one. */
export class TenantConnection implements DatabaseConnection {
  readonly #props: DriverProps;
  #transaction: OpenTransaction | undefined;

  constructor(props: DriverProps) {
    this.#props = props;
  }

  async executeQuery<R>(compiled: CompiledQuery): Promise<QueryResult<R>> {
    const query = asCompiledStatement(compiled);
    const context = currentTenant();
    const transaction = this.#transaction;
    const work = transaction
      ? () => inTurn(transaction, () => this.#executeIn(transaction, context, query))
      : () => this.#executeAlone(context, query);
    return queryResult(query, await observed(query.operation, work));
  }

  #executeAlone(context: TenantContext, query: CompiledStatement) {
    const { router, dataApi } = this.#props;
    const twice = query.isReadOnly ? 'harmless' : 'harmful';
    const options = { isReadOnly: query.isReadOnly, twice } as const;
    return atHome(router, context, (home) => runStatement(dataApi, home, context, statementOf(query), options));
  }

  #executeIn(transaction: OpenTransaction, context: TenantContext, query: CompiledStatement) {
    const { id: transactionId, home, isReadOnly } = transaction;
    if (context.tenantId !== transaction.context.tenantId) {
      throw new AppError(
        'internal',
        'The transaction was begun for another tenant than the current one. Begin one of its own.',
      );
    }
    const options = { isReadOnly, twice: 'forbidden', transactionId } as const;
    return runStatement(this.#props.dataApi, home, context, statementOf(query), options);
  }

  // eslint-disable-next-line require-yield -- Kysely wants an iterator also of those who have none.
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new AppError(
      'internal',
      'The RDS Data API does not stream. Read pages, by keyset: where id > the last one, limit n.',
    );
  }

  async begin(isReadOnly: boolean): Promise<void> {
    const context = currentTenant();
    const home = this.#props.router.homeOf(context);
    const id = await observed('begin', () => this.#props.dataApi.begin(home));
    this.#transaction = { id, home, context, isReadOnly, last: Promise.resolve() };
  }

  async commit(): Promise<void> {
    await this.#end('commit', (transaction) => this.#props.dataApi.commit(transaction.home, transaction.id));
  }

  /** Never throws: the reason for rolling back matters more, and the database rolls back by itself when it hears no more of us. */
  async rollback(): Promise<void> {
    await this.#end('rollback', async (transaction) => {
      await this.#props.dataApi.rollback(transaction.home, transaction.id).catch(() => undefined);
    });
  }

  async #end(operation: 'commit' | 'rollback', work: (transaction: OpenTransaction) => Promise<void>): Promise<void> {
    const transaction = this.#transaction;
    if (!transaction) return;
    await observed(operation, () => inTurn(transaction, () => work(transaction)));
    this.#transaction = undefined;
  }
}

/** Does `work` when all that was begun before in the transaction has ended, well or not. */
function inTurn<T>(transaction: OpenTransaction, work: () => Promise<T>): Promise<T> {
  const result = transaction.last.then(work);
  transaction.last = result.catch(() => undefined);
  return result;
}
