import { planNames } from '../../shared/contract/index.ts';
import { pathOf } from '../api/tenants.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { operate, operationOptions } from '../operate.ts';
import { confirmTenant } from '../terminal/confirm.ts';

/** `tenant plan` */
export const planCommand = defineCommand({
  summary: 'change what a tenant pays for',
  description: 'Changes the plan of a tenant: its limits and its quota. Its data stays where it is.',
  positionals: [tenantPositional, { name: 'plan', form: planNames }],
  options: operationOptions,
  run: ({ options, positionals: [tenantId = '', plan] }) => operate(pathOf(tenantId, 'change-plan'), { plan }, options),
});

/** `tenant rename` */
export const renameCommand = defineCommand({
  summary: 'change what people call a tenant',
  description:
    'Changes the name of a tenant. Its id stays, since tokens and rows go by it: for another id, clone the tenant and delete the first.',
  positionals: [tenantPositional, { name: 'name' }],
  options: operationOptions,
  run: ({ options, positionals: [tenantId = '', name] }) => operate(pathOf(tenantId, 'rename'), { name }, options),
});

/** `tenant suspend` */
export const suspendCommand = defineCommand({
  summary: 'refuse a tenant service, and keep its data',
  description: 'Suspends a tenant: from its next statement on, it is refused service. Its data stays.',
  positionals: [tenantPositional],
  options: operationOptions,
  run: ({ options, positionals: [tenantId = ''] }) => operate(pathOf(tenantId, 'suspend'), {}, options),
});

/** `tenant activate` */
export const activateCommand = defineCommand({
  summary: 'serve a suspended tenant again',
  description: 'Ends the suspension of a tenant.',
  positionals: [tenantPositional],
  options: operationOptions,
  run: ({ options, positionals: [tenantId = ''] }) => operate(pathOf(tenantId, 'activate'), {}, options),
});

/** `tenant export` */
export const exportCommand = defineCommand({
  summary: 'write all rows of a tenant to files',
  description:
    'Exports all rows of a tenant, as JSON Lines a table with a manifest. "create --from" makes a tenant of it.',
  positionals: [tenantPositional],
  options: operationOptions,
  run: ({ options, positionals: [tenantId = ''] }) => operate(pathOf(tenantId, 'export'), {}, options),
});

/** `tenant delete` */
export const deleteCommand = defineCommand({
  summary: 'erase a tenant, after exporting it',
  description:
    'Offboards a tenant: exports its rows, erases all of it, and proves that nothing is left. It asks for the id first.',
  positionals: [tenantPositional],
  options: {
    'no-export': { help: 'erase without exporting: the rows are gone for good' },
    yes: { help: 'do not ask; needed where there is no terminal' },
    ...operationOptions,
  },
  async run({ options, positionals: [tenantId = ''] }) {
    const isExported = !options['no-export'];
    const what = `This erases ${tenantId}, ${isExported ? 'after exporting its rows' : 'without an export: its rows are gone for good'}.`;
    if (!options.yes) await confirmTenant(tenantId, what);
    return operate(pathOf(tenantId, 'offboard'), { export: isExported }, options);
  },
});
