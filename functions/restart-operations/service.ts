import type { OperationStarter, UntouchedOperation } from '../../shared/control/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';

const log = serviceLogger('restart-operations');

/**
 * Starts operations again that nobody goes on with: their start was lost, or their execution ended before they did. Each gets an execution
 * of a new name, since Lambda keeps the names of those that have failed. Should the old one go on after all, the registry refuses
 * whichever is behind.
 *
 * @param claim operations to start, which nobody else gets
 * @returns how many were started
 * @throws AggregateError when some could not be; they get their turn again
 */
export async function restartOperations(
  claim: () => Promise<readonly UntouchedOperation[]>,
  starter: OperationStarter,
): Promise<number> {
  const operations = await claim();
  const failures: unknown[] = [];
  for (const { operationId, restarts, ...about } of operations) {
    try {
      await starter.start(operationId, `${operationId}-${restarts}`);
      log.warn('An unfinished operation is started again', { operationId, restarts, ...about });
    } catch (error) {
      log.error('An operation was not started again', { operationId, error: error as Error });
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} operations were not started again.`);
  return operations.length;
}
