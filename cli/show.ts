import { parseArgs, styleText } from 'node:util';
import { tenantIdPattern } from '../shared/tenancy/tenant.ts';
import type { Command } from './command.ts';
import { CommandError } from './command-error.ts';
import { controlPlane } from './control-plane.ts';
import { formatTenant } from './format-tenants.ts';
import { defaultDataDir } from './stack.ts';
import { showTenant } from './tenants.ts';

const usage = `usage: npm run -s tenant -- show <tenant> [--json] [--data DIR]

Shows a tenant of the local stack: its plan, its state, and where its data lives.

  --json      the tenant as JSON, which is also what it is when the output is no terminal
  --data DIR  folder of the stack's data (default ${defaultDataDir})`;

/** `tenant show` */
export const showCommand: Command = {
  summary: 'show a tenant',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { json: { type: 'boolean', default: false }, data: { type: 'string', default: defaultDataDir } },
    });
    const [tenantId, ...others] = positionals;
    if (!tenantId || others.length > 0) throw new CommandError(`Name one tenant.\n${usage}`);
    if (!tenantIdPattern.test(tenantId))
      throw new CommandError(`"${tenantId}" is no tenant id. "list" shows those there are.`);
    const tenant = await showTenant(await controlPlane(values.data), tenantId);
    if (values.json || !process.stdout.isTTY) console.log(JSON.stringify(tenant, null, 2));
    else console.log(formatTenant(tenant, styleText));
    return 0;
  },
};
