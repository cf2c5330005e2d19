import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

/** The isolation cases that the usual guides to multi-tenancy ask for, through the database that handlers get. */
let tenants: TestTenantDatabase;

beforeAll(async () => {
  tenants = await startTenantDatabase(['tenant-a', 'tenant-b']);
});
afterAll(() => tenants[Symbol.asyncDispose]());

async function projectOf(tenantId: string, name: string): Promise<string> {
  const { id } = await tenants.as(tenantId, () =>
    tenants.db.insertInto('projects').values({ name }).returning('id').executeTakeFirstOrThrow(),
  );
  return id;
}

const namesSeenBy = (tenantId: string) =>
  tenants.as(tenantId, async () =>
    (await tenants.db.selectFrom('projects').select('name').execute()).map((row) => row.name),
  );

describe('tenant isolation', () => {
  it("A cannot see B's rows", async () => {
    await projectOf('tenant-a', 'of A');
    await projectOf('tenant-b', 'of B');
    expect(await namesSeenBy('tenant-a')).toContain('of A');
    expect(await namesSeenBy('tenant-a')).not.toContain('of B');
  });

  it("B cannot modify A's rows", async () => {
    const id = await projectOf('tenant-a', 'untouched');
    const [updated] = await tenants.as('tenant-b', () =>
      tenants.db.updateTable('projects').set({ name: 'taken over' }).where('id', '=', id).execute(),
    );
    const [deleted] = await tenants.as('tenant-b', () =>
      tenants.db.deleteFrom('projects').where('id', '=', id).execute(),
    );
    expect([updated?.numUpdatedRows, deleted?.numDeletedRows]).toEqual([0n, 0n]);
    expect(await namesSeenBy('tenant-a')).toContain('untouched');
  });

  it("B cannot hang a task on A's project", async () => {
    const id = await projectOf('tenant-a', 'closed to B');
    const insert = tenants.as('tenant-b', () =>
      tenants.db.insertInto('tasks').values({ project_id: id, title: 'planted' }).execute(),
    );
    await expect(insert).rejects.toMatchObject({ code: 'reference-not-found' });
  });

  it('raises "No tenant context set" outside of a request', async () => {
    await expect(tenants.db.selectFrom('projects').select('id').execute()).rejects.toThrow('No tenant context set');
    const { rows } = await tenants.postgres.superuser.query('select count(*)::int as count from pool.projects');
    expect(rows[0].count).toBeGreaterThan(0);
  });

  it('raises "No tenant context set" in the database too, below everything that TypeScript does', async () => {
    const direct = tenants.postgres.app.query('select * from pool.projects');
    await expect(direct).rejects.toThrow('No tenant context set');
  });
});
