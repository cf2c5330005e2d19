import { AppError } from '../errors/index.ts';
import type { TenantContext } from '../tenancy/index.ts';
import { type CompiledStatement, statementOf } from './compiled-statement.ts';
import { DatabaseError } from './database-error.ts';
import { currentDeadline, rollbackMs, withDeadline } from './deadline.ts';
import type { DriverProps } from './driver.ts';
import { atHome } from './moves.ts';
import type { Home } from './router.ts';
import type { Row } from './rows.ts';
import { runStatement } from './tenant-statements.ts';

/** Whoever waits for an error does not wait longer than this. */
const longestRollbackMs = 2_000;

/**
 * A transaction of one tenant. Nothing in it is repeated, but for one case: when its first statement finds that the tenant is not at
 * home, nothing has been done yet, and the transaction begins again where the tenant is.
 */
export class OpenTransaction {
  readonly #props: DriverProps;
  readonly #context: TenantContext;
  readonly #isReadOnly: boolean;
  #home: Home;
  #id: string;
  #hasRun = false;
  #failure: unknown;
  /** Ends when the last statement so far has: the RDS Data API runs one at a time in a transaction. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(props: DriverProps, context: TenantContext, home: Home, id: string, isReadOnly: boolean) {
    this.#props = props;
    this.#context = context;
    this.#home = home;
    this.#id = id;
    this.#isReadOnly = isReadOnly;
  }

  /** To begin one is to connect, so that a database or a login that is gone shows here already. */
  static begin(props: DriverProps, context: TenantContext, isReadOnly: boolean): Promise<OpenTransaction> {
    return atHome(props.router, context, async (home) => {
      const id = await props.dataApi.begin(home);
      return new OpenTransaction(props, context, home, id, isReadOnly);
    });
  }

  /** Runs a statement when those that were started before it have ended. */
  execute(context: TenantContext, query: CompiledStatement): Promise<readonly Row[]> {
    if (context.tenantId !== this.#context.tenantId) {
      throw new AppError(
        'internal',
        'The transaction was begun for another tenant than the current one. Begin another.',
      );
    }
    return this.#inTurn(async () => {
      try {
        return await (this.#hasRun ? this.#run(context, query) : this.#runFirst(context, query));
      } catch (error) {
        if (error instanceof DatabaseError) this.#failure ??= error;
        throw error;
      }
    });
  }

  /** @throws AppError `internal` when a statement had failed: Postgres would roll back, and call that a success */
  commit(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.#failure !== undefined) {
        const message =
          'A statement of the transaction had failed, so it was rolled back. Let the error of the statement through.';
        throw new AppError('internal', message, { cause: this.#failure });
      }
      await this.#props.dataApi.commit(this.#home, this.#id);
    });
  }

  /**
   * Never throws: the reason for rolling back matters more, and the database does it by itself when it hears no more of us for three
   * minutes. Until then its locks would stay, so that this has a little time also when the request has none left.
   */
  rollback(): Promise<void> {
    const timeMs = Math.min(Math.max(currentDeadline() - Date.now(), rollbackMs), longestRollbackMs);
    return this.#inTurn(() =>
      withDeadline(Date.now() + timeMs, () => this.#props.dataApi.rollback(this.#home, this.#id)).catch(
        () => undefined,
      ),
    );
  }

  #runFirst(context: TenantContext, query: CompiledStatement): Promise<readonly Row[]> {
    const { router, dataApi } = this.#props;
    let isBegun = true;
    return atHome(router, context, async (home) => {
      if (!isBegun) {
        await dataApi.rollback(this.#home, this.#id).catch(() => undefined);
        this.#home = home;
        this.#id = await dataApi.begin(home);
      }
      isBegun = false;
      return this.#run(context, query);
    });
  }

  async #run(context: TenantContext, query: CompiledStatement): Promise<readonly Row[]> {
    const options = { isReadOnly: this.#isReadOnly, twice: 'forbidden', transactionId: this.#id } as const;
    const rows = await runStatement(this.#props.dataApi, this.#home, context, statementOf(query), options);
    this.#hasRun = true;
    return rows;
  }

  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#last.then(work);
    this.#last = result.catch(() => undefined);
    return result;
  }
}
