import { parseArgs, styleText } from 'node:util';
import type { Command } from './command.ts';
import { controlPlane } from './control-plane.ts';
import { formatTenants } from './format-tenants.ts';
import { defaultDataDir } from './stack.ts';
import { listTenants } from './tenants.ts';

const usage = `usage: npm run -s tenant -- list [--plan P] [--state S] [--model M] [--json] [--data DIR]

Lists the tenants of the local stack, oldest first.

  --plan P    only those of a plan: free, pro, enterprise
  --state S   only those in a state: onboarding, active, suspended, offboarding
  --model M   only those placed like this: pool, bridge, silo
  --json      tenants as JSON, which is also what they are when the output is no terminal
  --data DIR  folder of the stack's data (default ${defaultDataDir})`;

/** `tenant list` */
export const listCommand: Command = {
  summary: 'list tenants',
  usage,
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: {
        plan: { type: 'string' },
        state: { type: 'string' },
        model: { type: 'string' },
        json: { type: 'boolean', default: false },
        data: { type: 'string', default: defaultDataDir },
      },
    });
    const { json, data, ...filter } = values;
    const tenants = await listTenants(await controlPlane(data), filter);
    if (json || !process.stdout.isTTY) console.log(JSON.stringify(tenants, null, 2));
    else console.log(formatTenants(tenants, styleText));
    return 0;
  },
};
