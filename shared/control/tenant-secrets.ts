import { randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type Filter,
  paginateListSecrets,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretListEntry,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { stageTag, tenantSecretPrefix, tenantTag } from '../contract/index.ts';

/** Secrets that belong to a tenant, such as the login of a database of its own. */
export interface TenantSecrets {
  /** Names of a tenant's secrets: those that its tag or their name says to be. Ones that are deleted and still listed are none. */
  find(tenantId: string): Promise<string[]>;
  /** Makes a secret of the tenant, of 256 random bits, named `tenantry/<stage>/tenants/<tenant>/<name>`. One that is there stays. */
  ensure(tenantId: string, name: string): Promise<void>;
  /** Deletes such a secret at once. Does nothing where there is none. */
  remove(tenantId: string, name: string): Promise<void>;
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
      const byArn = new Map([...named, ...its].map(({ ARN = '', Name = '' }) => [ARN, Name]));
      const there: string[] = [];
      for (const [arn, name] of byArn) if (await isThere(client, arn)) there.push(name);
      return there.sort();
    },
    ensure: async (tenantId, name) => {
      const Tags = [
        { Key: stageTag, Value: stage },
        { Key: tenantTag, Value: tenantId },
      ];
      const SecretString = randomBytes(32).toString('base64url');
      const Name = tenantSecretPrefix(stage, tenantId) + name;
      await unless(ResourceExistsException, client.send(new CreateSecretCommand({ Name, SecretString, Tags })));
    },
    remove: async (tenantId, name) => {
      const SecretId = tenantSecretPrefix(stage, tenantId) + name;
      const deletion = new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true });
      await unless(ResourceNotFoundException, client.send(deletion));
    },
  };
}

/** Lists are behind by minutes, in which a secret that was deleted is still in them: only asking for it tells. */
async function isThere(client: SecretsManagerClient, arn: string): Promise<boolean> {
  const described = await unless(ResourceNotFoundException, client.send(new DescribeSecretCommand({ SecretId: arn })));
  return described !== undefined && described.DeletedDate === undefined;
}

/** What a call answers; undefined where it ends with an error of the class. */
async function unless<T>(
  expected: typeof ResourceExistsException | typeof ResourceNotFoundException,
  call: Promise<T>,
): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (error instanceof expected) return undefined;
    throw error;
  }
}

const tagOf = ({ Tags = [] }: SecretListEntry, key: string): string | undefined =>
  Tags.find(({ Key }) => Key === key)?.Value;
