import { createHash } from 'node:crypto';
import * as z from 'zod';
import { readStateFile, writePrivately } from '../stack/state-file.ts';

export interface Secret {
  readonly arn: string;
  readonly name: string;
  readonly value: string;
  /** Changes with the value. */
  readonly versionId: string;
  readonly description: string | undefined;
  readonly createdAt: Date;
  readonly tags: Readonly<Record<string, string>>;
}

const storedSecretSchema = z.object({
  value: z.string(),
  createdAt: z.iso.datetime(),
  tags: z.record(z.string(), z.string()).default({}),
  description: z.string().optional(),
  /** @default made of the value */
  versionId: z.string().optional(),
});
type StoredSecret = Readonly<z.infer<typeof storedSecretSchema>>;

/** Secrets by ARN, kept in memory or in a file that only its owner can read. */
export class SecretStore {
  readonly #file: string | undefined;
  readonly #secrets: Map<string, StoredSecret>;
  /** What was deleted, which lists may still have for a while. */
  readonly #deleted: { readonly secret: Secret; readonly at: number }[] = [];
  #writing: Promise<void> = Promise.resolve();

  private constructor(file: string | undefined, secrets: Map<string, StoredSecret>) {
    this.#file = file;
    this.#secrets = secrets;
  }

  /**
   * @param file is read if it exists, and made by the first `put`; in memory only if missing
   * @throws StartupError if the file is damaged
   */
  static open(file?: string): SecretStore {
    const stored = file === undefined ? undefined : readStateFile(file, z.record(z.string(), storedSecretSchema));
    return new SecretStore(file, new Map(Object.entries(stored ?? {})));
  }

  /** Adds a secret or gives it another value; resolves when it is on disk. */
  async put(
    arn: string,
    value: string,
    tags: Readonly<Record<string, string>> = {},
    more: Pick<StoredSecret, 'description' | 'versionId'> = {},
  ): Promise<void> {
    this.#secrets.set(arn, { ...more, value, createdAt: new Date().toISOString(), tags });
    await this.#save();
  }

  /** Removes a secret, if there is one; resolves when it is off the disk. */
  async delete(arn: string): Promise<void> {
    const secret = this.get(arn);
    if (secret) this.#deleted.push({ secret, at: Date.now() });
    this.#secrets.delete(arn);
    await this.#save();
  }

  /** All secrets, by name. @param deletedSince also those that were deleted after this time. @default none */
  list(deletedSince = Infinity): Secret[] {
    const secrets = [...this.#secrets.keys()].map((arn) => this.get(arn)).filter((secret) => secret !== undefined);
    const deleted = this.#deleted.filter(({ at }) => at > deletedSince).map(({ secret }) => secret);
    return [...secrets, ...deleted].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** Finds a secret by its ARN, its ARN without the six characters that AWS appends, or its name. */
  get(id: string): Secret | undefined {
    const arn = this.#secrets.has(id)
      ? id
      : [...this.#secrets.keys()].find((key) => id === nameOf(key) || id === bare(key));
    const stored = arn === undefined ? undefined : this.#secrets.get(arn);
    if (arn === undefined || stored === undefined) return undefined;
    const { value, createdAt, tags, description, versionId = versionOf(stored) } = stored;
    return { arn, name: nameOf(arn), value, versionId, description, createdAt: new Date(createdAt), tags };
  }

  async #save(): Promise<void> {
    this.#writing = this.#writing.catch(() => undefined).then(() => this.#write());
    await this.#writing;
  }

  async #write(): Promise<void> {
    if (this.#file === undefined) return;
    await writePrivately(this.#file, JSON.stringify(Object.fromEntries(this.#secrets), null, 2));
  }
}

function versionOf({ createdAt, value }: StoredSecret): string {
  return createHash('sha256').update(createdAt).update(value).digest('hex').slice(0, 32);
}

/** `arn:aws:secretsmanager:region:account:secret:name-AbCdEf` without the last seven characters. */
function bare(arn: string): string {
  return arn.replace(/-[A-Za-z0-9]{6}$/, '');
}

function nameOf(arn: string): string {
  return bare(arn).split(':').slice(6).join(':');
}

/** Reads database logins, which are secrets of the JSON that RDS writes: `{ "username", "password" }`. */
export function loginsOf(
  secrets: SecretStore,
): (arn: string) => Promise<{ username: string; password: string } | undefined> {
  return (arn) => {
    const secret = secrets.get(arn);
    const { username = '', password = '' } = secret ? parseObject(secret.value) : {};
    return Promise.resolve(secret && { username: String(username), password: String(password) });
  };
}

function parseObject(text: string): Record<string, unknown> {
  try {
    return Object(JSON.parse(text)) as Record<string, unknown>;
  } catch {
    return {};
  }
}
