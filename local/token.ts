import { operatorRole } from '../shared/contract/index.ts';
import { tenantIdPattern } from '../shared/tenancy/index.ts';
import { readArguments, showFailure, UsageError } from './command-line.ts';
import { NoStackError, signToken } from './issuer/sign-token.ts';
import { defaultDataDir } from './stack/data-folder.ts';

const usage = 'usage: npm run -s token -- <tenant> | --operator [--user U] [--role R]… [--data DIR]';

/** Prints a token of the local issuer, and nothing else, so that it can stand in `$(…)`. */
async function main(): Promise<void> {
  const { values, positionals } = readArguments(usage, {
    allowPositionals: true,
    options: {
      user: { type: 'string' },
      role: { type: 'string', multiple: true, default: [] },
      operator: { type: 'boolean', default: false },
      data: { type: 'string', default: defaultDataDir },
    },
  });
  const [tenant, ...rest] = positionals;
  if (rest.length > 0 || (tenant === undefined && !values.operator)) throw new UsageError('Name one tenant.');
  if (tenant !== undefined) requireTenantId(tenant);
  const roles = values.operator ? [...values.role, operatorRole] : values.role;
  console.log(await signToken(values.data, { tenant, user: values.user, roles }));
}

function requireTenantId(tenant: string): void {
  if (tenantIdPattern.test(tenant)) return;
  throw new UsageError(
    `"${tenant}" is no tenant id: 3 to 40 lower-case letters, digits and hyphens, a letter first and no hyphen last.`,
  );
}

main().catch((error: unknown) => {
  showFailure(error, usage, NoStackError);
  process.exitCode = 1;
});
