import { randomInt } from 'node:crypto';
import * as z from 'zod';
import type { SecretStore } from '../secrets-manager/secret-store.ts';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';

const generateSchema = z.strictObject({
  SecretStringTemplate: z.string().default('{}'),
  GenerateStringKey: z.string().optional(),
  PasswordLength: z.coerce.number().int().min(1).default(32),
  ExcludeCharacters: z.string().default(''),
  ExcludePunctuation: z.boolean().default(false),
  ExcludeNumbers: z.boolean().default(false),
  ExcludeLowercase: z.boolean().default(false),
  ExcludeUppercase: z.boolean().default(false),
});

const secretShape = {
  type: 'AWS::SecretsManager::Secret',
  schema: z.strictObject({ GenerateSecretString: generateSchema.optional(), SecretString: z.string().optional() }),
  ignored: ['Description', 'KmsKeyId', 'Name', 'ReplicaRegions', 'Tags'],
} satisfies ResourceShape<z.ZodType>;

/** Makes the secrets of the template that are not in the store yet. A secret that is there stays as it is, as on AWS. */
export async function createSecrets(deployment: Deployment, store: SecretStore): Promise<void> {
  for (const { id, properties } of readAll(deployment, secretShape)) {
    if (!store.get(id)) await store.put(id, properties.SecretString ?? generate(properties.GenerateSecretString));
  }
}

function generate(wanted: z.infer<typeof generateSchema> = generateSchema.parse({})): string {
  const password = generatePassword(wanted);
  if (wanted.GenerateStringKey === undefined) return password;
  return JSON.stringify({ ...JSON.parse(wanted.SecretStringTemplate), [wanted.GenerateStringKey]: password });
}

/** A random text of letters, digits and punctuation, less what is excluded. */
export function generatePassword(wanted: Partial<z.infer<typeof generateSchema>> = {}): string {
  const alphabet = [
    wanted.ExcludeLowercase ? '' : 'abcdefghijklmnopqrstuvwxyz',
    wanted.ExcludeUppercase ? '' : 'ABCDEFGHIJKLMNOPQRSTUVWXYZ',
    wanted.ExcludeNumbers ? '' : '0123456789',
    wanted.ExcludePunctuation ? '' : '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~',
  ]
    .join('')
    .split('')
    .filter((character) => !wanted.ExcludeCharacters?.includes(character));
  return Array.from({ length: wanted.PasswordLength ?? 32 }, () => alphabet[randomInt(alphabet.length)]).join('');
}
