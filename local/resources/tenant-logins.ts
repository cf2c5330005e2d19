import { Client } from 'pg';
import { stageTag, tenantHomeName, tenantTag } from '../../shared/contract/index.ts';
import type { SecretStore } from '../secrets-manager/secret-store.ts';
import { generatePassword } from './secrets.ts';

/**
 * Puts back logins of tenants' own databases that the store has lost with its file, as it makes those of the templates anew: under the
 * ARNs that the registry has, with passwords that the migrations then give to the roles. An operation that makes a tenant, or offboards it,
 * makes its login or has deleted it: nobody would delete it a second time.
 *
 * @param registryUrl connection string to the database with the registry, which is empty before the first start
 */
export async function restoreTenantLogins(registryUrl: string, secrets: SecretStore, stage: string): Promise<void> {
  const client = new Client({ connectionString: registryUrl });
  await client.connect();
  try {
    for (const { tenant_id: tenant, secret_arn: arn } of await listLogins(client)) {
      if (secrets.get(arn)) continue;
      const login = { username: tenantHomeName(tenant), password: generatePassword({ ExcludePunctuation: true }) };
      await secrets.put(arn, JSON.stringify(login), { [stageTag]: stage, [tenantTag]: tenant });
    }
  } finally {
    await client.end();
  }
}

async function listLogins(client: Client): Promise<readonly { tenant_id: string; secret_arn: string }[]> {
  const { rows: registries } = await client.query(`select where to_regclass('registry.tenants') is not null`);
  if (registries.length === 0) return [];
  const { rows } = await client.query<{ tenant_id: string; secret_arn: string }>(
    `select tenant_id, secret_arn from registry.tenants where secret_arn is not null and state in ('active', 'suspended')`,
  );
  return rows;
}
