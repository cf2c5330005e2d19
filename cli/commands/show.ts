import { connect, connectionOptions } from '../api/connect.ts';
import { showTenant } from '../api/tenants.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { formatTenant } from '../terminal/format-tenants.ts';
import { print } from '../terminal/print.ts';

/** `tenant show` */
export const showCommand = defineCommand({
  summary: 'show a tenant',
  description: 'Shows a tenant: its plan, its state, and where its data lives.',
  positionals: [tenantPositional],
  options: connectionOptions,
  async run({ options, positionals: [tenantId = ''] }) {
    const tenant = await showTenant(await connect(options), tenantId);
    print(tenant, options.json, (shown, { paint }) => formatTenant(shown, paint));
    return 0;
  },
});
