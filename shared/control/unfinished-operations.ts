import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';

const untouchedSchema = z.object({
  operationId: z.uuid(),
  tenantId: z.string(),
  kind: z.string(),
  /** How often it was started again, this time included. */
  restarts: z.number().int().min(1),
});
export type UntouchedOperation = Readonly<z.output<typeof untouchedSchema>>;

/**
 * Unfinished operations of which nothing was written since a time, those that wait longest first. They count as touched now: start them.
 *
 * @param most how many at most
 */
export async function claimUntouchedOperations(since: Date, most: number): Promise<UntouchedOperation[]> {
  const rows = await queryRegistry({
    sql: `select cast(operation as text)
      from registry.claim_untouched_operations(cast(:since as timestamptz), cast(:most as int)) operation`,
    parameters: { since: since.toISOString(), most: String(most) },
    operation: 'update',
    // Those of an answer that was lost have to wait again.
    twice: 'harmless',
  });
  return z.array(untouchedSchema).parse(rows);
}

/** How long ago the oldest operation was asked for that has not ended, in seconds; 0 when there is none. */
export async function oldestUnfinishedSeconds(): Promise<number> {
  const [age] = await queryRegistry({
    sql: `select cast(coalesce(extract(epoch from now() - min(created_at)), 0) as text) from registry.operations
      where state in ('pending', 'running')`,
    parameters: {},
    operation: 'select',
    twice: 'harmless',
  });
  return z.number().parse(age);
}
