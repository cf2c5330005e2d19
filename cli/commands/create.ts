import { planNames } from '../../shared/contract/index.ts';
import { operationInputs } from '../../shared/control/operations-schema.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { operate, operationOptions } from '../operate.ts';

/** `tenant create` */
export const createCommand = defineCommand({
  summary: 'onboard a tenant',
  description: 'Onboards a tenant, and waits until it is served. Its data lives in the pool.',
  positionals: [{ name: 'tenant', form: 'tenant-id' }],
  options: {
    name: { value: 'N', help: 'what people call it' },
    plan: { value: 'P', choices: planNames, help: 'what it pays for' },
    from: { value: 'EXPORT', help: 'id of an export operation, whose rows it begins with (default: none)' },
    'reuse-id': { help: 'take the id of a tenant that was deleted: its users’ tokens are good for the new one' },
    ...operationOptions,
  },
  async run({ options, positionals: [tenantId = ''] }) {
    const { name, plan, from } = options;
    if (name === undefined || plan === undefined) throw new UsageError('Give it a --name and a --plan.');
    if (from !== undefined && !operationInputs.onboard.shape.from.safeParse(from).success) {
      throw new UsageError(
        `--from takes the id of an export, or the prefix of its files, not ${JSON.stringify(from)}.`,
      );
    }
    const more = { ...(from !== undefined && { from }), ...(options['reuse-id'] && { reuseId: true }) };
    return operate('/tenants', { tenantId, name, plan, ...more }, options);
  },
});
