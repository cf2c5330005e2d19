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
  usagePlanId: z.string(),
});
export type ApiKey = Readonly<z.infer<typeof apiKeySchema>>;

/** API Gateway's API keys, each in one usage plan, kept in a file so that they survive a restart. */
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

  /** Adds a key to a usage plan. @param value what identifies its owner @default a random one */
  add(name: string, usagePlanId: string, value: string = randomBytes(20).toString('hex')): ApiKey {
    const key = { id: randomBytes(5).toString('hex'), name, value, enabled: true, usagePlanId };
    this.#keys.set(value, key);
    this.#write();
    return key;
  }

  #write(): void {
    const unfinished = `${this.#file}.new`;
    writeFileSync(unfinished, JSON.stringify(this.list(), null, 2), { mode: 0o600 });
    renameSync(unfinished, this.#file);
  }
}
