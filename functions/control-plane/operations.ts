import type { ClusterCapacity } from '../../shared/contract/index.ts';
import {
  createOperation,
  isKeyKnown,
  type KnownKind,
  listOperations as readOperations,
  type Operation,
  type OperationInput,
  type OperationRequest,
  type OperationStarter,
  readOperation,
} from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { toPage } from '../../shared/http/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { currentOperator, type Placement } from '../../shared/tenancy/index.ts';
import { choosePlacement, placementOn, type Wish } from './placement.ts';
import type { OperationsQuery } from './schema.ts';

export async function listOperations({ limit, cursor, ...filter }: OperationsQuery) {
  const page = { limit, cursor };
  return toPage(await readOperations(filter, page), page);
}

/** @throws AppError not-found */
export async function getOperation(operationId: string): Promise<Operation> {
  const operation = await readOperation(operationId);
  if (!operation) throw new AppError('not-found', `There is no operation ${operationId}.`);
  return operation;
}

const log = serviceLogger('control-plane');

/** What is asked of a new tenant. */
type NewTenant = Omit<OperationInput<'onboard'>, 'placement'> & { readonly tenantId: string } & Wish;

/**
 * Has a new tenant onboarded, as `requestOperation` does, where there is room for it. What was asked for before with this key is not
 * looked at again: there may be no room by now, since that tenant has it.
 *
 * @throws AppError also export-unusable, no-capacity, validation-failed
 */
export async function onboard(
  { tenantId, model, ...wanted }: NewTenant,
  idempotencyKey: string | undefined,
  { starter, clusters }: { starter: OperationStarter; clusters: Readonly<Record<string, ClusterCapacity>> },
): Promise<Operation> {
  const wish = { plan: wanted.plan, model, cluster: wanted.cluster };
  const [anyCluster = ''] = Object.keys(clusters);
  const placement = (await isKeyKnown(idempotencyKey))
    ? placementOn(anyCluster, tenantId, wish)
    : await choosePlace(tenantId, wish, wanted.from, clusters);
  return requestOperation({ kind: 'onboard', tenantId, input: { ...wanted, placement }, idempotencyKey }, starter);
}

async function choosePlace(
  tenantId: string,
  wish: Wish,
  from: string | undefined,
  clusters: Readonly<Record<string, ClusterCapacity>>,
): Promise<Placement> {
  // The files themselves are looked at by the operation.
  if (from !== undefined && !from.includes('/') && !(await readOperation(from))?.result?.['export']) {
    throw new AppError('export-unusable', `The operation ${from} has made no export.`);
  }
  return choosePlacement(tenantId, wish, clusters);
}

/**
 * Writes an operation down and has it started. Once it is written it will be done, now or when operations that nobody began with are
 * started again, so a start that fails is no failure of the request.
 *
 * @throws AppError as `createOperation` does
 */
export async function requestOperation<Kind extends KnownKind>(
  request: Omit<OperationRequest<Kind>, 'actor'>,
  starter: OperationStarter,
): Promise<Operation> {
  const operation = await createOperation<Kind>({ ...request, actor: currentOperator().operatorId });
  if (operation.state !== 'pending') return operation;
  try {
    await starter.start(operation.id);
  } catch (error) {
    log.error('An operation was not started', { operationId: operation.id, error: error as Error });
  }
  return operation;
}
