import { planNames } from '../../shared/contract/index.ts';
import { operationInputs } from '../../shared/control/operations-schema.ts';
import { placementSchema } from '../../shared/tenancy/tenant.ts';
import { defineCommand } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { operate, operationOptions } from '../operate.ts';

const models = placementSchema.shape.model.options;

/** Options that say where a new tenant lives. */
export const placementOptions = {
  model: { value: 'M', choices: models, help: 'how strongly its data is set apart (default: as its plan has it)' },
  cluster: { value: 'C', help: 'the cluster it lives on (default: the one with the most room)' },
} as const;

interface NewTenant {
  readonly name: string;
  readonly plan: string;
  readonly model: string | undefined;
  readonly cluster: string | undefined;
  readonly from?: string | undefined;
  readonly 'reuse-id'?: boolean;
}

/** The body of a request for a new tenant. */
export function newTenant(tenantId: string, { name, plan, ...more }: NewTenant): object {
  return {
    tenantId,
    name,
    plan,
    ...(more.model !== undefined && { model: more.model }),
    ...(more.cluster !== undefined && { cluster: more.cluster }),
    ...(more.from !== undefined && { from: more.from }),
    ...(more['reuse-id'] && { reuseId: true }),
  };
}

/** `tenant create` */
export const createCommand = defineCommand({
  summary: 'onboard a tenant',
  description: `Onboards a tenant, and waits until it is served. Where its data lives, its plan says (shared/contract/plans.ts): in the pool,\nwhich it shares, in a schema of its own (bridge) or in a database of its own (silo); or --model, for this tenant.`,
  positionals: [{ name: 'tenant', form: 'tenant-id' }],
  options: {
    name: { value: 'N', help: 'what people call it' },
    plan: { value: 'P', choices: planNames, help: 'what it pays for' },
    ...placementOptions,
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
    return operate('/tenants', newTenant(tenantId, { ...options, name, plan }), options);
  },
});
