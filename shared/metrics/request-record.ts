import { AsyncLocalStorage } from 'node:async_hooks';

/** What a database call did. Bounded, as it becomes a metric's dimension. */
export type DatabaseOperation =
  'select' | 'insert' | 'update' | 'delete' | 'other' | 'batch' | 'begin' | 'commit' | 'rollback';

export interface DatabaseQuery {
  readonly operation: DatabaseOperation;
  readonly durationMs: number;
}

/**
 * What became of a look into the cache: `hit`, `stale` (a value whose time is over, while somebody else loads a new one), `miss`; or what went
 * wrong: a value was `oversized`, or there was a `failure` to reach the cache.
 */
export type CacheUse = 'hit' | 'stale' | 'miss' | 'oversized' | 'failure';

/** What is gathered about one request while it runs; logs and metrics are made of it when it ends. */
export interface RequestRecord {
  /** Id under which the client and the gateway know the request. */
  readonly requestId: string;
  readonly startedAt: number;
  /** `METHOD /path` of shared/contract, or `unknown`. Never the client's text: it becomes a metric's dimension. */
  route: string;
  /** Who acts on the control plane; undefined everywhere else. */
  operatorId: string | undefined;
  /** Whether one of the tenant's limits refused it. */
  isThrottled: boolean;
  /** Decisions on limits that were made without the cache. */
  limiterFallbacks: number;
  databaseTimeMs: number;
  readonly databaseQueries: Map<DatabaseOperation, number>;
  readonly cacheUses: Map<CacheUse, number>;
}

const records = new AsyncLocalStorage<RequestRecord>();

/** Runs one invocation with a record of its own. */
export function runWithRequestRecord<T>(requestId: string, work: () => T): T {
  const record: RequestRecord = {
    requestId,
    startedAt: performance.now(),
    route: 'unknown',
    operatorId: undefined,
    isThrottled: false,
    limiterFallbacks: 0,
    databaseTimeMs: 0,
    databaseQueries: new Map(),
    cacheUses: new Map(),
  };
  return records.run(record, work);
}

/** The record of the request that is running, or undefined outside of one. */
export function currentRequestRecord(): RequestRecord | undefined {
  return records.getStore();
}

/** Counts a database call for the metrics and the log line of the request that is running; outside of a request it does nothing. */
export function recordDatabaseQuery({ operation, durationMs }: DatabaseQuery): void {
  const record = records.getStore();
  if (!record) return;
  record.databaseTimeMs += durationMs;
  record.databaseQueries.set(operation, (record.databaseQueries.get(operation) ?? 0) + 1);
}

/** Counts a use of the cache for the metrics of the request that is running; outside of a request it does nothing. */
export function recordCacheUse(use: CacheUse): void {
  const uses = records.getStore()?.cacheUses;
  uses?.set(use, (uses.get(use) ?? 0) + 1);
}
