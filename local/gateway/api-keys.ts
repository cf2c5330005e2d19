import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';
import * as z from 'zod';
import { readStateFile } from '../stack/state-file.ts';

const apiKeySchema = z.object({
  id: z.string(),
  name: z.string(),
  /** What the authorizer returns as usageIdentifierKey. */
  value: z.string(),
  enabled: z.boolean(),
  /** Missing in a key that was made, but is in no plan yet. */
  usagePlanId: z.string().optional(),
  /** Whole seconds since the epoch; 0 in files that are older than this member. */
  createdAt: z.number().int().default(0),
});
export type ApiKey = Readonly<z.infer<typeof apiKeySchema>>;

/** API Gateway's API keys, each in one usage plan at most, kept in a file so that they survive a restart. */
export class ApiKeyStore {
  readonly #file: string;
  readonly #keys: Map<string, ApiKey>;

  /**
   * @param file JSON; made when the first key is added
   * @throws StartupError if it is damaged
   */
  constructor(file: string) {
    this.#file = file;
    this.#keys = new Map((readStateFile(file, z.array(apiKeySchema)) ?? []).map((key) => [key.value, key]));
  }

  list(): ApiKey[] {
    return [...this.#keys.values()];
  }

  byValue(value: string): ApiKey | undefined {
    return this.#keys.get(value);
  }

  byId(id: string): ApiKey | undefined {
    return this.list().find((key) => key.id === id);
  }

  /** Adds a key to a usage plan, or to none. @param value what identifies its owner @default a random one */
  add(name: string, usagePlanId?: string, value: string = randomBytes(20).toString('hex'), enabled = true): ApiKey {
    const id = randomBytes(5).toString('hex');
    return this.#put({ id, name, value, enabled, usagePlanId, createdAt: Math.floor(Date.now() / 1_000) });
  }

  /** Puts a key into a usage plan, in place of the one that it is in; undefined: into none. */
  setUsagePlan(key: ApiKey, usagePlanId: string | undefined): ApiKey {
    return this.#put({ ...key, usagePlanId });
  }

  remove(key: ApiKey): void {
    this.#keys.delete(key.value);
    this.#write();
  }

  #put(key: ApiKey): ApiKey {
    this.#keys.set(key.value, key);
    this.#write();
    return key;
  }

  #write(): void {
    const unfinished = `${this.#file}.new`;
    writeFileSync(unfinished, JSON.stringify(this.list(), null, 2), { mode: 0o600 });
    renameSync(unfinished, this.#file);
  }
}
