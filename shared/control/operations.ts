import * as z from 'zod';
import { queryRegistry } from '../database/registry-connection.ts';
import { AppError } from '../errors/index.ts';
import { type PageRequest, uuidv7 } from '../http/index.ts';
import { operationEvents } from './operations-events.ts';
import {
  type KnownKind,
  type Operation,
  type OperationInput,
  operationInputs,
  operationSchema,
} from './operations-schema.ts';
import { readPage } from './read-page.ts';
import { takenIdError } from './tenant-ids.ts';

export interface OperationRequest<Kind extends KnownKind = KnownKind> {
  readonly kind: Kind;
  readonly tenantId: string;
  readonly input: OperationInput<Kind>;
  /** Who asks for it. */
  readonly actor: string;
  /** The same key gives the same operation, however often it is asked for. */
  readonly idempotencyKey?: string | undefined;
}

const outcomeSchema = z.discriminatedUnion('outcome', [
  z.object({ outcome: z.enum(['created', 'known', 'key-reused', 'in-progress']), operation: operationSchema }),
  z.object({ outcome: z.enum(['tenant-exists', 'tenant-id-used', 'tenant-unknown', 'tenant-leaving']) }),
]);
type Outcome = z.output<typeof outcomeSchema>;

/**
 * Writes an operation down, with the event of its request and its entry in the audit log, in one transaction. Nothing is done yet:
 * start the function that does it.
 *
 * @throws AppError operation-in-progress, tenant-exists, tenant-id-used, idempotency-key-reused, not-found, constraint-violated
 * @throws DatabaseError when the registry cannot be asked; ask again with the same idempotency key
 */
export async function createOperation<Kind extends KnownKind>(request: OperationRequest<Kind>): Promise<Operation> {
  const { kind, tenantId, actor, idempotencyKey } = request;
  const input = operationInputs[kind].parse(request.input);
  const id = uuidv7();
  const [answer] = await queryRegistry({
    sql: 'select cast(registry.create_operation(cast(:request as jsonb)) as text)',
    parameters: {
      request: JSON.stringify({
        id,
        tenantId,
        kind,
        input,
        actor,
        idempotencyKey,
        event: operationEvents[kind]?.request,
      }),
    },
    operation: 'insert',
    // A second time finds the operation by its id.
    twice: 'harmless',
  });
  return operationOf(outcomeSchema.parse(answer), request);
}

function operationOf(answer: Outcome, { tenantId, idempotencyKey = '' }: OperationRequest): Operation {
  switch (answer.outcome) {
    case 'created':
    case 'known':
      return answer.operation;
    case 'key-reused':
      throw new AppError(
        'idempotency-key-reused',
        `The idempotency key ${idempotencyKey} belongs to the operation ${answer.operation.id}, which is another one. Use a new key.`,
      );
    case 'in-progress': {
      const { id, kind } = answer.operation;
      throw new AppError(
        'operation-in-progress',
        `The operation ${id} (${kind}) on the tenant ${tenantId} is not finished. Wait for it, then ask again.`,
      );
    }
    case 'tenant-exists':
    case 'tenant-id-used':
      throw takenIdError(answer.outcome, tenantId);
    case 'tenant-unknown':
      throw new AppError('not-found', `There is no tenant ${tenantId}.`);
    case 'tenant-leaving':
      throw new AppError(
        'constraint-violated',
        `The tenant ${tenantId} is neither active nor suspended. Finish its onboarding or offboarding first.`,
      );
  }
}

/**
 * Whether an operation was asked for with an idempotency key. `createOperation` finds it, or says that it was another one: this is for
 * whoever has something to check before, which may not hold any more.
 */
export async function isKeyKnown(idempotencyKey: string | undefined): Promise<boolean> {
  if (idempotencyKey === undefined) return false;
  const [found] = await queryRegistry({
    sql: `select to_jsonb(exists (select from registry.operations where idempotency_key = :key))::text`,
    parameters: { key: idempotencyKey },
    operation: 'select',
    twice: 'harmless',
  });
  return z.boolean().parse(found);
}

/** An operation, or undefined when there is none. */
export async function readOperation(operationId: string): Promise<Operation | undefined> {
  const [row] = await queryRegistry({
    sql: `select cast(registry.operation_record(o) as text) from registry.operations o
      where o.id = cast(:operation_id as uuid)`,
    parameters: { operation_id: operationId },
    operation: 'select',
    twice: 'harmless',
  });
  return row === undefined ? undefined : operationSchema.parse(row);
}

/** Which operations to list. What is left out does not matter. */
export interface OperationFilter {
  readonly tenantId?: string | undefined;
  readonly state?: Operation['state'] | undefined;
}

/** A page of operations, the newest first, and one more if there are more. */
export async function listOperations(filter: OperationFilter, page: PageRequest): Promise<Operation[]> {
  const rows = await readPage(
    {
      select: 'cast(registry.operation_record(o) as text)',
      from: 'registry.operations o',
      filter: { tenant_id: filter.tenantId, state: filter.state },
      order: 'newest first',
      key: { created_at: 'timestamptz', id: 'uuid' },
    },
    page,
  );
  return rows.map((row) => operationSchema.parse(row));
}
