import { planNames } from '../../shared/contract/index.ts';
import { connect, connectionOptions } from '../api/connect.ts';
import type { ControlPlane, Query } from '../api/control-plane.ts';
import { RefusedError } from '../api/refusal.ts';
import { pathOf, showTenant } from '../api/tenants.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { CommandError } from '../command-error.ts';
import { perform, printEnd } from '../operate.ts';
import { newTenant, placementOptions } from './create.ts';

/** @throws CommandError when there can be no such tenant */
async function requirePlace({ get }: ControlPlane, wish: Query): Promise<void> {
  try {
    await get('/placement', wish);
  } catch (error) {
    if (!(error instanceof RefusedError) || error.code !== 'no-capacity') throw error;
    throw new CommandError(`${error.message}\nOr choose another --model or --cluster.`, { cause: error });
  }
}

/** `tenant clone` */
export const cloneCommand = defineCommand({
  summary: 'make a new tenant with the rows of another',
  description: `Exports a tenant, and onboards another one from that: with its rows, and with its name, plan and model unless told otherwise.
The first goes on being served. Users and what was counted of its quota are not copied.`,
  positionals: [tenantPositional, { name: 'new-tenant', form: 'tenant-id' }],
  options: {
    name: { value: 'N', help: 'what people call it (default: as the first)' },
    plan: { value: 'P', choices: planNames, help: 'what it pays for (default: as the first)' },
    ...placementOptions,
    model: { ...placementOptions.model, help: 'how strongly its data is set apart (default: as the first)' },
    ...connectionOptions,
  },
  async run({ options, positionals: [tenantId = '', newId = ''] }) {
    const plane = await connect(options);
    const first = await showTenant(plane, tenantId);
    const { name = first.name, plan = first.plan, model = first.placement.model, cluster } = options;
    // Exporting may take long, and would be for nothing.
    await requirePlace(plane, { tenantId: newId, plan, model, cluster });
    const exported = await perform(pathOf(tenantId, 'export'), {}, options);
    if (exported.state === 'failed') return printEnd(exported, options.json);
    const body = newTenant(newId, { name, plan, model, cluster, from: exported.id });
    try {
      return printEnd(await perform('/tenants', body, options), options.json);
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      throw new CommandError(`${error.message}\nThe export is there: create a tenant with --from ${exported.id}.`, {
        cause: error,
      });
    }
  },
});
