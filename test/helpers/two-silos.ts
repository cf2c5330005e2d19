import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { deploy } from '../../functions/migrate/service.ts';
import { databaseRoles, tenantHomeName } from '../../shared/contract/index.ts';
import type { Migration } from '../../shared/database/migrator.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';
import { type SiloRunner, startSiloRunner } from './silo-runner.ts';

export const file = (version: string, sql: string): Migration => ({ version, checksum: sql, sql });
export const weight = file('900_weight', 'alter table tasks add weight int');

/** Two tenants with databases of their own, and the registry that knows them, anew for each test of the file that calls this. */
export function twoSilos() {
  let runner: SiloRunner;
  let database: TestDatabase;
  let tenants: string[];
  beforeAll(async () => {
    runner = await startSiloRunner();
  });
  afterAll(() => runner[Symbol.asyncDispose]());
  beforeEach(async () => {
    database = await createTestDatabase();
    tenants = [];
    runner.logged.length = 0;
    await addTenants(2);
  });
  afterEach(() => database[Symbol.asyncDispose]());

  async function addTenants(count: number): Promise<void> {
    for (let left = count; left > 0; left -= 1) {
      const tenantId = runner.newTenant();
      await runner.addSilo(tenantId, database);
      tenants.push(tenantId);
    }
    tenants.sort();
    // Long before any run: what has changed since one began is looked at twice.
    await database.superuser.query(`update registry.tenants set updated_at = now() - interval '1 hour'`);
  }

  /** As the owner of a database. */
  const query = async (name: string, sql: string): Promise<object[]> => {
    const owner = await runner.connect(databaseRoles.owner, name);
    return (await owner.query<object>(sql)).rows;
  };

  return {
    get runner() {
      return runner;
    },
    /** The one that tenants share, with the registry. */
    get database() {
      return database;
    },
    /** In the order in which a deployment takes them. */
    get tenants(): readonly string[] {
      return tenants;
    },
    addTenants,
    query,
    deploy: (...tenant: readonly Migration[]) => deploy(runner.systemFor(database, { tenant })),
    /** Of these tenants, those whose tables have the column of the migration. */
    having: async (tenantIds: readonly string[]): Promise<string[]> => {
      const found: string[] = [];
      for (const tenantId of tenantIds) {
        const rows = await query(tenantHomeName(tenantId), `select from pg_attribute where attname = 'weight'`);
        if (rows.length > 0) found.push(tenantId);
      }
      return found;
    },
    /** Names of the databases that were, in that order. */
    audited: (): unknown[] =>
      runner.logged.filter(({ message }) => message === 'audited').map(({ database: name }) => name),
  };
}
