import { placementModels, planNames, tenantStates } from '../../shared/contract/index.ts';
import { connect, connectionOptions } from '../api/connect.ts';
import { listTenants } from '../api/tenants.ts';
import { defineCommand } from '../command.ts';
import { formatTenants } from '../terminal/format-tenants.ts';
import { print } from '../terminal/print.ts';

/** `tenant list` */
export const listCommand = defineCommand({
  summary: 'list tenants',
  description: 'Lists tenants, oldest first: all there are, or those that every given filter lets through.',
  options: {
    plan: { value: 'P', choices: planNames, help: 'those of a plan' },
    state: { value: 'S', choices: tenantStates, help: 'those in a state' },
    model: { value: 'M', choices: placementModels, help: 'those placed like this' },
    cluster: { value: 'C', help: 'those on a cluster' },
    ...connectionOptions,
  },
  async run({ options }) {
    const { plan, state, model, cluster, json } = options;
    print(await listTenants(await connect(options), { plan, state, model, cluster }), json, formatTenants);
    return 0;
  },
});
