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
  readonly #sharingPlans: readonly PlanName[];

  /** @param sharingPlans plans whose tenants share one key */
  constructor(file: string, sharingPlans: readonly PlanName[] = []) {
    this.#file = file;
    this.#sharingPlans = sharingPlans;
  }

  list(): StoredKey[] {
    return existsSync(this.#file) ? (JSON.parse(readFileSync(this.#file, 'utf8')) as StoredKey[]) : [];
  }

  of(tenantId: string): StoredKey[] {
    return this.list().filter(({ name }) => name === tenantId);
  }

  async ensure(tenantId: string, plan: PlanName): Promise<{ id: string; value: string }> {
    const name = this.#sharingPlans.includes(plan) ? `plan:${plan}` : tenantId;
    const [known] = this.of(name);
    const key = known ?? { id: randomUUID(), name, value: randomBytes(20).toString('hex'), plans: [] };
    this.#write(name, [{ ...key, plans: [...new Set([...key.plans, plan])] }]);
    return { id: key.id, value: key.value };
  }

  async move(tenantId: string, fromPlan: PlanName, toPlan: PlanName): Promise<{ id: string; value: string }> {
    if (this.#sharingPlans.includes(toPlan)) return this.ensure(tenantId, toPlan);
    const [key] = this.of(tenantId);
    if (!key && !this.#sharingPlans.includes(fromPlan)) throw new Error(`The tenant ${tenantId} has no key.`);
    this.#write(
      tenantId,
      this.of(tenantId).map((own) => ({ ...own, plans: own.plans.filter((plan) => plan !== fromPlan) })),
    );
    return this.ensure(tenantId, toPlan);
  }

  async findSpare(tenantId: string, plan: PlanName): Promise<string[]> {
    return this.#spare(tenantId, plan).map(({ id }) => id);
  }

  async removeSpare(tenantId: string, plan: PlanName): Promise<void> {
    const spare = await this.findSpare(tenantId, plan);
    this.#write(
      tenantId,
      this.of(tenantId).filter(({ id }) => !spare.includes(id)),
    );
  }

  async remove(tenantId: string): Promise<void> {
    this.#write(tenantId, []);
  }

  async find(tenantId: string): Promise<string[]> {
    return this.of(tenantId).map(({ id }) => id);
  }

  #spare(tenantId: string, plan: PlanName): StoredKey[] {
    return this.of(tenantId).slice(this.#sharingPlans.includes(plan) ? 0 : 1);
  }

  #write(tenantId: string, keys: readonly StoredKey[]): void {
    const others = this.list().filter(({ name }) => name !== tenantId);
    writeFileSync(this.#file, JSON.stringify([...others, ...keys]));
  }
}
