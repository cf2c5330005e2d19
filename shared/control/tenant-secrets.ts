import {
  type Filter,
  paginateListSecrets,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { stageTag, tenantSecretPrefix, tenantTag } from '../contract/index.ts';

/** Secrets that belong to a tenant, such as the login of a database of its own. */
export interface TenantSecrets {
  /** Names of a tenant's secrets: those that its tag or their name says to be. */
  find(tenantId: string): Promise<string[]>;
}

/** Secrets of a stage's tenants, in an account that other stages may share. */
export function tenantSecretsOf(client: SecretsManagerClient, stage: string): TenantSecrets {
  const list = async (...Filters: Filter[]): Promise<SecretListEntry[]> => {
    const secrets: SecretListEntry[] = [];
    for await (const page of paginateListSecrets(
      { client, pageSize: 100 },
      { Filters, IncludePlannedDeletion: false },
    )) {
      secrets.push(...(page.SecretList ?? []));
    }
    return secrets.filter((secret) => (tagOf(secret, stageTag) ?? stage) === stage);
  };
  return {
    find: async (tenantId) => {
      const prefix = tenantSecretPrefix(stage, tenantId);
      const named = await list({ Key: 'name', Values: [prefix] });
      const tagged = await list({ Key: 'tag-key', Values: [tenantTag] }, { Key: 'tag-value', Values: [tenantId] });
      // Filters go by how a value begins: those of `acme-2` are among what was asked for of `acme`.
      const its = tagged.filter((secret) => tagOf(secret, tenantTag) === tenantId);
      return [...new Set([...named, ...its].map(({ Name = '' }) => Name))].sort();
    },
  };
}

const tagOf = ({ Tags = [] }: SecretListEntry, key: string): string | undefined =>
  Tags.find(({ Key }) => Key === key)?.Value;
