import { type Filter, paginateListSecrets, type SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { stageTag, tenantSecretPrefix, tenantTag } from '../contract/index.ts';

/** Secrets that belong to a tenant, such as the login of a database of its own. */
export interface TenantSecrets {
  /** Names of a tenant's secrets: those that its tag or their name says to be. */
  find(tenantId: string): Promise<string[]>;
}

/** Secrets of a stage's tenants, in an account that other stages may share. */
export function tenantSecretsOf(client: SecretsManagerClient, stage: string): TenantSecrets {
  const list = async (...Filters: Filter[]): Promise<string[]> => {
    const names: string[] = [];
    for await (const page of paginateListSecrets(
      { client, pageSize: 100 },
      { Filters, IncludePlannedDeletion: false },
    )) {
      for (const { Name = '', Tags = [] } of page.SecretList ?? []) {
        const itsStage = Tags.find(({ Key }) => Key === stageTag)?.Value ?? stage;
        if (itsStage === stage) names.push(Name);
      }
    }
    return names;
  };
  return {
    find: async (tenantId) => {
      const prefix = tenantSecretPrefix(stage, tenantId);
      const named = await list({ Key: 'name', Values: [prefix] });
      const tagged = await list({ Key: 'tag-key', Values: [tenantTag] }, { Key: 'tag-value', Values: [tenantId] });
      return [...new Set([...named, ...tagged])].sort();
    },
  };
}
