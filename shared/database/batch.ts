import type { Compilable } from 'kysely';
import { currentTenant } from '../tenancy/index.ts';
import { asCompiledStatement, statementOf } from './compiled-statement.ts';
import type { DriverProps } from './driver.ts';
import { atHome } from './moves.ts';
import { observed } from './observed.ts';
import { executedResult } from './query-result.ts';
import { type RunOptions, runStatements } from './tenant-statements.ts';

/** The result of each query of a batch. */
export type BatchResults<Q extends readonly Compilable[]> = {
  -readonly [I in keyof Q]: Q[I] extends Compilable<infer O> ? O[] : never;
};

/** See `TenantDatabase.batch`. */
export async function runBatch<Q extends readonly Compilable[]>(
  { dataApi, router }: DriverProps,
  queries: Q,
): Promise<BatchResults<Q>> {
  const context = currentTenant();
  const compiled = queries.map((query) => asCompiledStatement(query.compile()));
  const statements = compiled.map(statementOf);
  const isReadOnly = compiled.every((query) => query.isReadOnly);
  const options: RunOptions = { isReadOnly, twice: isReadOnly ? 'harmless' : 'harmful' };
  const send = () => atHome(router, context, (home) => runStatements(dataApi, home, context, statements, options));
  const rows = queries.length === 0 ? [] : await observed('batch', send);
  return compiled.map((query, index) => executedResult(query, rows[index] ?? [])) as BatchResults<Q>;
}
