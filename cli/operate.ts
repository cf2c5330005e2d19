import { randomUUID } from 'node:crypto';
import { connect, type Connection, connectionOptions } from './api/connect.ts';
import { keyOf, orSayKey } from './api/keys.ts';
import { hasEnded, type Operation, startOperation } from './api/operations.ts';
import { formatOperation } from './terminal/format-operation.ts';
import { print } from './terminal/print.ts';
import { printable } from './terminal/printable.ts';
import { watch, watchCommand } from './watch.ts';

/** Options of every command that starts an operation. */
export const operationOptions = {
  ...connectionOptions,
  'no-wait': { help: 'print the operation as it is, and do not wait for its end' },
  'idempotency-key': {
    value: 'K',
    help: 'key of the request: the same key is the same operation (default: a new one)',
  },
} as const;

export interface OperationOptions extends Connection {
  readonly json: boolean;
  readonly 'no-wait': boolean;
  readonly 'idempotency-key': string | undefined;
}

/** Starts an operation, waits for it unless told not to, and prints it. Returns 1 if it has failed. */
export async function operate(path: string, body: object, options: OperationOptions): Promise<number> {
  const key = keyOf(options['idempotency-key']);
  const plane = await connect(options);
  const begun = await orSayKey(key, 'operation', startOperation(plane, path, body, key));
  if (options['no-wait']) {
    print(begun, options.json, formatOperation);
    if (process.stderr.isTTY && !hasEnded(begun)) console.error(`\nWatch it: ${watchCommand(begun, options)}`);
    return begun.state === 'failed' ? 1 : 0;
  }
  return printEnd(await watch(plane, begun, options), options.json);
}

/** Starts an operation and waits until it has ended. @throws CommandError when nobody knows whether it was begun, or how it goes on */
export async function perform(path: string, body: object, connection: Connection): Promise<Operation> {
  const plane = await connect(connection);
  return watch(plane, await startOperation(plane, path, body, randomUUID()), connection);
}

/** Prints an operation that has ended. Returns 1 if it has failed. */
export function printEnd(operation: Operation, json: boolean): number {
  print(operation, json, formatOperation);
  const { state, error } = operation;
  if (state !== 'failed') return 0;
  if (error && !process.stdout.isTTY) console.error(printable(`${error.message} [${error.code}] ${error.remedy}`));
  return 1;
}
