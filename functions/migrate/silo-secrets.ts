import { createHash, randomBytes } from 'node:crypto';
import {
  CreateSecretCommand,
  DeleteSecretCommand,
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  type SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import * as z from 'zod';
import { siloSecretPrefix, stageTag, tenantHomeName, tenantTag } from '../../shared/contract/index.ts';

export interface SiloLogin {
  readonly secretArn: string;
  readonly password: string;
}

/** A database that is one tenant's alone, and the cluster that it is on. */
export interface SiloName {
  readonly tenantId: string;
  readonly cluster: string;
}

/** One that is to be made or dropped. */
export interface WantedSilo extends SiloName {
  /** Of the operation that asks for it; left out where nobody can come late. */
  readonly turn?: { readonly operationId: string; readonly turn: number } | undefined;
}

/** Logins of the roles that are one tenant's alone. */
export interface SiloSecrets {
  /** The login, made if there is none. @throws Error when the secret is another tenant's */
  ensure(silo: SiloName): Promise<SiloLogin>;
  /** The password of a tenant's role; undefined when there is no such secret. @throws Error when the secret is another role's */
  read(tenantId: string, secretArn: string): Promise<string | undefined>;
  /** Deletes the login at once. Does nothing when there is none. */
  remove(silo: SiloName): Promise<void>;
}

const loginSchema = z.object({ username: z.string(), password: z.string().min(1) });

/** Logins in Secrets Manager, as `{ username, password }`. */
export function siloSecretsOf(client: SecretsManagerClient, stage: string): SiloSecrets {
  const nameOf = (silo: SiloName): string => `${siloSecretPrefix(stage)}${digestOf(silo)}`;
  const readLogin = async (tenantId: string, secretArn: string): Promise<string> => {
    const { SecretString: text = 'null' } = await client.send(new GetSecretValueCommand({ SecretId: secretArn }));
    const { username, password } = loginSchema.parse(JSON.parse(text));
    if (username === tenantHomeName(tenantId)) return password;
    throw new Error(`The secret ${secretArn} is the login of ${username}, not that of the tenant ${tenantId}.`);
  };
  const create = async (silo: SiloName): Promise<SiloLogin | undefined> => {
    const password = randomBytes(48).toString('base64url');
    try {
      const { ARN: secretArn = '' } = await client.send(
        new CreateSecretCommand({
          Name: nameOf(silo),
          Description: `Login of the database of the tenant ${silo.tenantId} on the cluster ${silo.cluster} (${stage})`,
          SecretString: JSON.stringify({ username: tenantHomeName(silo.tenantId), password }),
          Tags: [
            { Key: stageTag, Value: stage },
            { Key: tenantTag, Value: silo.tenantId },
          ],
        }),
      );
      return { secretArn, password };
    } catch (error) {
      if (error instanceof ResourceExistsException) return undefined;
      throw error;
    }
  };
  const find = async (silo: SiloName): Promise<SiloLogin> => {
    const { ARN: secretArn = '', Tags = [] } = await client.send(new DescribeSecretCommand({ SecretId: nameOf(silo) }));
    const tenant = Tags.find(({ Key }) => Key === tenantTag)?.Value;
    if (tenant !== silo.tenantId)
      throw new Error(
        `The secret ${nameOf(silo)} is tagged as that of ${tenant ?? 'nobody'}, not of ${silo.tenantId}.`,
      );
    return { secretArn, password: await readLogin(silo.tenantId, secretArn) };
  };
  return {
    ensure: async (silo) => (await create(silo)) ?? (await find(silo)),
    read: (tenantId, secretArn) => ifThere(readLogin(tenantId, secretArn)),
    remove: async (silo) => {
      await ifThere(client.send(new DeleteSecretCommand({ SecretId: nameOf(silo), ForceDeleteWithoutRecovery: true })));
    },
  };
}

async function ifThere<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return undefined;
    throw error;
  }
}

/**
 * Short, since the Data API takes ARNs of 100 characters at most. Of the cluster too: a tenant that moves from one to another has a
 * database on both for a while, and the login of the new one outlives that of the old one.
 */
function digestOf({ cluster, tenantId }: SiloName): string {
  return createHash('sha256').update(`${cluster}/${tenantId}`).digest('hex').slice(0, 12);
}
