import { connect, connectionOptions } from '../api/connect.ts';
import { hasEnded, listOperations, showOperation } from '../api/operations.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { printEnd } from '../operate.ts';
import { formatOperation, formatOperations } from '../terminal/format-operation.ts';
import { print } from '../terminal/print.ts';
import { wholeNumber } from '../whole-number.ts';
import { watch } from '../watch.ts';

const uuid = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** `tenant operations` */
export const operationsCommand = defineCommand({
  summary: 'list operations, or show or watch one',
  description:
    'Lists operations, the latest first; or shows one: its steps, how far it is, and why it failed if it did.',
  positionals: [{ name: 'id', isOptional: true }],
  options: {
    wait: { help: 'watch the operation until it ends' },
    tenant: { value: 'T', help: 'those of a tenant' },
    state: { value: 'S', choices: ['pending', 'running', 'succeeded', 'failed'], help: 'those in a state' },
    limit: { value: 'N', help: 'how many to list at most (default 50)' },
    ...connectionOptions,
  },
  async run({ options, positionals: [id] }) {
    const { wait, tenant, state, json } = options;
    if (id === undefined) {
      if (wait) throw new UsageError('Name the <id> of the operation to wait for.');
      const filter = { tenantId: tenant, state };
      const most = wholeNumber('--limit', options.limit ?? '50', 1, 100_000);
      print(await listOperations(await connect(options), filter, most), json, formatOperations);
      return 0;
    }
    if (!uuid.test(id)) throw new UsageError(`${JSON.stringify(id)} is no id of an operation.`);
    const plane = await connect(options);
    const operation = await showOperation(plane, id);
    if (wait && !hasEnded(operation)) return printEnd(await watch(plane, operation, options), json);
    if (wait) return printEnd(operation, json);
    print(operation, json, formatOperation);
    return 0;
  },
});
