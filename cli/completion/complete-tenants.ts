import { parseArgs } from 'node:util';
import { tenantIdPattern } from '../../shared/tenancy/tenant.ts';
import { connect } from '../api/connect.ts';
import { listTenants } from '../api/tenants.ts';

/** A shell that completes waits no longer. */
const patienceMs = 3_000;

/**
 * Prints ids of tenants, one a line, for scripts that complete; nothing when they cannot be had in time.
 *
 * @param typed what stands on the line until now, of which it takes where to ask
 */
export async function completeTenants(typed: readonly string[]): Promise<number> {
  setTimeout(() => process.exit(1), patienceMs).unref();
  const place = { type: 'string' } as const;
  const options = { data: place, api: place, region: place };
  const { values } = parseArgs({ args: [...typed], options, strict: false, allowPositionals: true });
  const textOf = (value: unknown): string | undefined => (typeof value === 'string' ? value : undefined);
  const { data, api, region } = values;
  try {
    const plane = await connect({ data: textOf(data), api: textOf(api), region: textOf(region) });
    // A shell expands the words that it is given: what is no id must not get there.
    const ids = (await listTenants(plane, {})).map(({ tenantId }) => tenantId).filter((id) => tenantIdPattern.test(id));
    console.log(ids.join('\n'));
    return 0;
  } catch {
    return 1;
  }
}
