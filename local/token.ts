import { parseArgs } from 'node:util';
import { NoStackError, signToken } from './issuer/sign-token.ts';
import { defaultDataDir } from './stack/data-folder.ts';

const usage = 'usage: npm run -s token -- <tenant> [--user U] [--role R]… [--operator] [--data DIR]';

/** Prints a token of the local issuer, and nothing else, so that it can stand in `$(…)`. */
async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      role: { type: 'string', multiple: true, default: [] },
      operator: { type: 'boolean', default: false },
      data: { type: 'string', default: defaultDataDir },
    },
  });
  const [tenant, ...rest] = positionals;
  if (rest.length > 0 || (tenant === undefined && !values.operator)) throw new TypeError('Name one tenant.');
  const roles = values.operator ? [...values.role, 'operator'] : values.role;
  console.log(await signToken(values.data, { tenant, user: values.user, roles }));
}

main().catch((error: unknown) => {
  const known = error instanceof NoStackError || error instanceof TypeError;
  console.error(known ? error.message : error);
  if (error instanceof TypeError) console.error(usage);
  process.exitCode = 1;
});
