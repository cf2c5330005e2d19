import { randomInt } from 'node:crypto';
import * as z from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import type { Secret, SecretStore } from './secret-store.ts';

const secretId = z.string().min(1).max(2048);
const versionId = z.string().min(32).max(64);

export const getSecretValueRequest = z.strictObject({
  SecretId: secretId,
  VersionId: versionId.optional(),
  VersionStage: z.string().min(1).max(256).optional(),
});

/** A secret has its current version only. */
export function getSecretValue(
  secrets: SecretStore,
  request: z.output<typeof getSecretValueRequest>,
): Record<string, unknown> {
  const secret = find(secrets, request.SecretId);
  const { VersionId: id = secret.versionId, VersionStage: stage = 'AWSCURRENT' } = request;
  if (id !== secret.versionId) {
    throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${id}`);
  }
  if (stage !== 'AWSCURRENT') {
    throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${stage}`);
  }
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: secret.versionId,
    VersionStages: ['AWSCURRENT'],
    SecretString: secret.value,
    CreatedDate: secret.createdAt.getTime() / 1000,
  };
}

export const createSecretRequest = z.strictObject({
  Name: z
    .string()
    .min(1)
    .max(512)
    .regex(/^[A-Za-z0-9/_+=.@-]+$/, 'may only contain alphanumeric characters and the characters /_+=.@-'),
  SecretString: z.string().min(1).max(65_536),
  Description: z.string().max(2048).optional(),
  ClientRequestToken: versionId,
  Tags: z
    .array(z.strictObject({ Key: z.string().min(1).max(128), Value: z.string().max(256) }))
    .max(50)
    .default([]),
});

/** Where secrets are made: their ARNs say so. */
export interface SecretOwner {
  readonly region: string;
  readonly account: string;
}

/** Makes a secret. The same request again, with the same token, answers what the first one did. */
export async function createSecret(
  secrets: SecretStore,
  owner: SecretOwner,
  request: z.output<typeof createSecretRequest>,
): Promise<Record<string, unknown>> {
  const { Name: name, SecretString: value, ClientRequestToken: token, Description: description } = request;
  const known = secrets.get(name);
  if (known?.name === name) {
    if (known.versionId === token && known.value === value) return created(known);
    throw new AwsError(
      'ResourceExistsException',
      400,
      `The operation failed because the secret ${name} already exists.`,
    );
  }
  const arn = arnOf(name, owner);
  const tags = Object.fromEntries(request.Tags.map(({ Key, Value }) => [Key, Value]));
  await secrets.put(arn, value, tags, { versionId: token, ...(description !== undefined && { description }) });
  return created(find(secrets, arn));
}

function created({ arn, name, versionId: id }: Secret): Record<string, unknown> {
  return { ARN: arn, Name: name, VersionId: id };
}

export const describeSecretRequest = z.strictObject({ SecretId: secretId });

export function describeSecret(
  secrets: SecretStore,
  { SecretId }: z.output<typeof describeSecretRequest>,
): Record<string, unknown> {
  const { arn, name, description, tags, versionId: id, createdAt } = find(secrets, SecretId);
  return {
    ARN: arn,
    Name: name,
    ...(description !== undefined && { Description: description }),
    Tags: Object.entries(tags).map(([Key, Value]) => ({ Key, Value })),
    VersionIdsToStages: { [id]: ['AWSCURRENT'] },
    CreatedDate: createdAt.getTime() / 1000,
  };
}

export const deleteSecretRequest = z.strictObject({
  SecretId: secretId,
  ForceDeleteWithoutRecovery: z.literal(true, 'secrets are deleted for good here: set it to true'),
});

/** Deletes a secret for good. One that there is none of is answered as if there had been, as AWS does when it is forced to. */
export async function deleteSecret(
  secrets: SecretStore,
  owner: SecretOwner,
  { SecretId }: z.output<typeof deleteSecretRequest>,
): Promise<Record<string, unknown>> {
  const secret = secrets.get(SecretId);
  if (secret) await secrets.delete(secret.arn);
  const { arn, name } = secret ?? { arn: arnOf(SecretId, owner), name: SecretId };
  return { ARN: arn, Name: name, DeletionDate: Date.now() / 1000 };
}

function find(secrets: SecretStore, id: string): Secret {
  const secret = secrets.get(id);
  if (secret) return secret;
  throw notFound("Secrets Manager can't find the specified secret.");
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', 400, message);
}

const letters = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789';

/** Ends in six characters that are others for the next secret of the name, so that nobody who may read this one may read that. */
function arnOf(name: string, { region, account }: SecretOwner): string {
  const suffix = Array.from({ length: 6 }, () => letters[randomInt(letters.length)]).join('');
  return `arn:aws:secretsmanager:${region}:${account}:secret:${name}-${suffix}`;
}
