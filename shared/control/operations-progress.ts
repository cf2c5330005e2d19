import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import type { Parameters } from '../database/data-api.ts';
import type { Turn } from './operations-tenants.ts';
import { operationEvents } from './operations-events.ts';
import {
  type Operation,
  type OperationError,
  type OperationKind,
  operationSchema,
  type StepState,
} from './operations-schema.ts';

/** All of these may be repeated, so calls of which nobody knows whether they ran are. */
const change = (sql: string, parameters: Parameters): Promise<unknown[]> =>
  queryRegistry({ sql, parameters, operation: 'update', twice: 'harmless' });

/**
 * Says that an operation is running, and of which steps it consists. One that has ended stays as it is.
 *
 * @returns the operation; undefined if there is none
 */
export async function startOperation(operationId: string, steps: readonly string[]): Promise<Operation | undefined> {
  const [row] = await change(
    'select cast(registry.start_operation(cast(:operation_id as uuid), cast(:steps as jsonb)) as text)',
    { operation_id: operationId, steps: JSON.stringify(steps) },
  );
  return row === null ? undefined : operationSchema.parse(row);
}

const markSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['done', 'refused']) }),
  z.object({ outcome: z.literal('marked'), turn: z.number().int() }),
]);

/**
 * Says how far a step of a running operation is.
 *
 * @returns `marked` with the turn of whoever begins with it, for what it changes; `done` if it was that far before; `refused` if another execution has meanwhile ended the operation, or is undoing it
 */
export async function markStep(
  operationId: string,
  step: string,
  state: StepState,
): Promise<z.output<typeof markSchema>> {
  const [row] = await change('select cast(registry.mark_step(cast(:operation_id as uuid), :step, :state) as text)', {
    operation_id: operationId,
    step,
    state,
  });
  return markSchema.parse(row);
}

/**
 * Says why a running operation cannot succeed: from now on it is undone, also after an interruption. The first reason stays, and
 * one that has ended stays as it is.
 *
 * @returns the operation, with its steps as they are
 */
export async function abandonOperation(operationId: string, error: OperationError): Promise<Operation> {
  const [row] = await change(
    'select cast(registry.abandon_operation(cast(:operation_id as uuid), cast(:error as jsonb)) as text)',
    { operation_id: operationId, error: JSON.stringify(error) },
  );
  return operationSchema.parse(row);
}

/**
 * Ends a running operation, with the event of its end and an entry in the audit log, in one transaction: failed if it was abandoned,
 * else succeeded. One that has ended stays as it is.
 */
export async function endOperation(operationId: string, kind: OperationKind): Promise<Operation> {
  const events = operationEvents[kind];
  const [row] = await change(
    'select cast(registry.end_operation(cast(:operation_id as uuid), :success, :failure) as text)',
    { operation_id: operationId, success: events?.success ?? null, failure: events?.failure ?? null },
  );
  return operationSchema.parse(row);
}

export interface StepProgress {
  /** How much of the step is done, between 0 and 1. */
  readonly share: number;
  /** Counts so far, over those of the same names. */
  readonly counts?: Readonly<Record<string, number>>;
  /** What is to be said of the operation when it is over. */
  readonly result?: Readonly<Record<string, unknown>>;
}

/** Says how far a step of a running operation is. */
export async function reportProgress(
  operationId: string,
  step: string,
  { share, counts = {}, result }: StepProgress,
): Promise<void> {
  await change(
    `select cast(null as text) from registry.report_progress(cast(:operation_id as uuid), :step, cast(:share as numeric),
      cast(:counts as jsonb), cast(:result as jsonb))`,
    {
      operation_id: operationId,
      step,
      share: share.toFixed(4),
      counts: JSON.stringify(counts),
      result: result ? JSON.stringify(result) : null,
    },
  );
}

const leftSchema = z.array(z.object({ relation: z.string(), rows: z.number().nullable() }));

/**
 * Removes a tenant that is being offboarded from the registry, and records the proof that nothing of it is left, in one transaction: if
 * something is, nothing is changed.
 *
 * @param proof what was found elsewhere than in this database
 * @returns what is left, and where
 */
export async function unregisterTenant(
  { operationId, turn }: Turn,
  proof: Readonly<Record<string, unknown>>,
): Promise<z.output<typeof leftSchema>> {
  const [row] = await change(
    `select cast(registry.unregister_tenant(cast(:operation_id as uuid), cast(:proof as jsonb)) as text)
     from registry.require_turn(cast(:operation_id as uuid), cast(:turn as bigint))`,
    { operation_id: operationId, turn: String(turn), proof: JSON.stringify(proof) },
  );
  return leftSchema.parse(row);
}
