import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import type { Parameters } from '../database/data-api.ts';
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

const markSchema = z.enum(['marked', 'done', 'refused']);

/**
 * Says how far a step of a running operation is.
 *
 * @returns `done` if it was that far before; `refused` if another execution has meanwhile ended the operation, or is undoing it
 */
export async function markStep(
  operationId: string,
  step: string,
  state: StepState,
): Promise<z.output<typeof markSchema>> {
  const [row] = await change(
    'select cast(to_json(registry.mark_step(cast(:operation_id as uuid), :step, :state)) as text)',
    { operation_id: operationId, step, state },
  );
  return markSchema.parse(row);
}

/**
 * Says why a running operation cannot succeed: from now on it is undone, also after an interruption. The first reason stays.
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
