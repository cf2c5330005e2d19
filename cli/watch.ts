import type { Connection } from './api/connect.ts';
import type { ControlPlane } from './api/control-plane.ts';
import { hasEnded, type Operation, showOperation } from './api/operations.ts';
import { follow } from './follow.ts';
import { printable } from './terminal/printable.ts';
import { liveProgress, lineProgress } from './terminal/progress.ts';
import { paintError } from './terminal/paint.ts';
import { program } from './usage.ts';

/** What to type to ask the same control plane for something. */
export function commandLine(words: readonly string[], { data, api, region }: Connection): string {
  const flags = Object.entries({ data, api, region }).flatMap(([name, value]) =>
    value === undefined ? [] : [`--${name}`, /^[\w.:\/-]+$/.test(value) ? value : JSON.stringify(value)],
  );
  return [program, ...words, ...flags].join(' ');
}

/** What to type to see how an operation goes on. */
export const watchCommand = ({ id }: Operation, connection: Connection): string =>
  commandLine(['operations', printable(id), '--wait'], connection);

/**
 * Waits until an operation has ended, and shows meanwhile how far it is. Who has seen enough presses Ctrl-C: the operation goes on.
 *
 * @throws CommandError when the control plane does not answer any more
 */
export const watch = (plane: ControlPlane, begun: Operation, connection: Connection): Promise<Operation> =>
  follow({
    begun,
    hasEnded,
    read: () => showOperation(plane, begun.id),
    view: process.stderr.isTTY ? liveProgress(process.stderr, paintError) : lineProgress(process.stderr),
    goesOn: `The operation goes on without being watched. Watch it again: ${watchCommand(begun, connection)}`,
  });
