import { setTimeout as sleep } from 'node:timers/promises';
import type { Connection } from './api/connect.ts';
import type { ControlPlane } from './api/control-plane.ts';
import { hasEnded, type Operation, showOperation } from './api/operations.ts';
import { CommandError } from './command-error.ts';
import { printable } from './terminal/printable.ts';
import { liveProgress, lineProgress } from './terminal/progress.ts';
import { paintError } from './terminal/paint.ts';
import { program } from './usage.ts';

const firstPollMs = 250;
const slowestPollMs = 2_000;
/** Exit code of a command that Ctrl-C has ended. */
const interrupted = 130;

/** What to type to see how an operation goes on. */
export function watchCommand({ id }: Operation, { data, api, region }: Connection): string {
  const flags = Object.entries({ data, api, region }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, /^[\w.:\/-]+$/.test(value) ? value : JSON.stringify(value)],
  );
  return [program, 'operations', printable(id), '--wait', ...flags].join(' ');
}

/**
 * Waits until an operation has ended, and shows meanwhile how far it is. Who has seen enough presses Ctrl-C: the operation goes on.
 *
 * @throws CommandError when the control plane does not answer any more
 */
export async function watch(plane: ControlPlane, begun: Operation, connection: Connection): Promise<Operation> {
  const view = process.stderr.isTTY ? liveProgress(process.stderr, paintError) : lineProgress(process.stderr);
  const goesOn = `The operation goes on without being watched. Watch it again: ${watchCommand(begun, connection)}`;
  const stop = (): never => {
    view.end();
    console.error(goesOn);
    process.exit(interrupted);
  };
  process.once('SIGINT', stop);
  try {
    let operation = begun;
    for (let waitMs = firstPollMs; !hasEnded(operation); waitMs = Math.min(slowestPollMs, waitMs * 1.2)) {
      view.show(operation);
      await sleep(waitMs);
      operation = await showOperation(plane, begun.id);
    }
    view.show(operation);
    return operation;
  } catch (error) {
    if (error instanceof CommandError) throw new CommandError(`${error.message}\n${goesOn}`, { cause: error });
    throw error;
  } finally {
    view.end();
    process.removeListener('SIGINT', stop);
  }
}
