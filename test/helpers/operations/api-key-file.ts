import { randomBytes, randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { ApiKeys } from '../../../shared/control/index.ts';
import type { PlanName } from '../../../shared/contract/index.ts';

interface StoredKey {
  readonly id: string;
  readonly name: string;
  readonly value: string;
  readonly plans: readonly PlanName[];
}

/** What API Gateway keeps: keys in usage plans, in a file, so that they outlive whoever made them. Names need not be unique. */
export class ApiKeyFile implements ApiKeys {
  readonly #file: string;

  constructor(file: string) {
    this.#file = file;
  }

  list(): StoredKey[] {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as StoredKey[]) : [];
  }

  of(tenantId: string): StoredKey[] {
    return this.list().filter(({ name }) => name === tenantId);
  }

  async ensure(tenantId: string, plan: PlanName): Promise<{ id: string; value: string }> {
    const [known] = this.of(tenantId);
    const key = known ?? { id: randomUUID(), name: tenantId, value: randomBytes(20).toString('hex'), plans: [] };
    this.#write(tenantId, [{ ...key, plans: [...new Set([...key.plans, plan])] }]);
    return { id: key.id, value: key.value };
  }

  async move(tenantId: string, fromPlan: PlanName, toPlan: PlanName): Promise<{ id: string; value: string }> {
    const moved = this.of(tenantId).map((key) => ({
      ...key,
      plans: [...new Set([...key.plans.filter((plan) => plan !== fromPlan), toPlan])],
    }));
    this.#write(tenantId, moved);
    const [key] = moved;
    if (!key) throw new Error(`The tenant ${tenantId} has no key.`);
    return { id: key.id, value: key.value };
  }

  async remove(tenantId: string): Promise<void> {
    this.#write(tenantId, []);
  }

  async find(tenantId: string): Promise<string[]> {
    return this.of(tenantId).map(({ id }) => id);
  }

  #write(tenantId: string, keys: readonly StoredKey[]): void {
    const others = this.list().filter(({ name }) => name !== tenantId);
    writeFileSync(this.#file, JSON.stringify([...others, ...keys]));
  }
}
