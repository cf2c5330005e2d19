import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type AuditEntry, listAuditEntries } from '../../shared/control/index.ts';
import { type KnownKind, operationInputs } from '../../shared/control/operations-schema.ts';
import { planOfLastCall } from '../helpers/plan-of-call.ts';
import { type OperationWorld, startOperationWorld } from '../helpers/operations/operation-world.ts';

vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** What becomes of a tenant by an operation of each kind. */
const changes: Readonly<Record<KnownKind, { before: object | null; after: object | null }>> = {
  onboard: { before: null, after: { state: 'active', plan: 'pro' } },
  suspend: { before: { state: 'active', plan: 'free' }, after: { state: 'suspended', plan: 'free' } },
  activate: { before: { state: 'suspended' }, after: { state: 'active' } },
  'change-plan': { before: { plan: 'free' }, after: { plan: 'pro' } },
  'change-limits': { before: { limits: null }, after: { limits: { burst: 5, requestsPerMinute: 30 } } },
  rename: { before: { name: expect.any(String) }, after: { name: 'Renamed' } },
  export: { before: { state: 'active' }, after: { state: 'active' } },
  offboard: { before: { state: 'active' }, after: null },
};

describe('the audit log of an operation', () => {
  it.each(Object.keys(operationInputs) as KnownKind[])(
    'says who asked for it, what was before and what after: %s',
    async (kind) => {
      const { tenantId, ports } = await world.prepare(kind);
      const operationId = await world.ask(kind, tenantId);
      await world.run(operationId, ports);
      const entries = await listAuditEntries(tenantId, { limit: 10 });
      expect(entries.filter(({ action }) => action !== 'offboard.proven')).toMatchObject([
        { actor: 'olga', action: `${kind}.succeeded`, tenantId, operationId, ...changes[kind] },
        {
          actor: 'olga',
          action: `${kind}.requested`,
          tenantId,
          operationId,
          before: changes[kind].before,
          after: null,
        },
      ]);
    },
  );

  it('says why it failed, and that everything is as before', async () => {
    const { tenantId, ports } = await world.prepare('suspend');
    const flushAuthorizersCache = (): Promise<void> => Promise.reject(new Error('refused'));
    const operationId = await world.ask('suspend', tenantId);
    let left = 1;
    const gateway = {
      flushAuthorizersCache: () => (left-- > 0 ? flushAuthorizersCache() : Promise.resolve()),
    };
    await world.run(operationId, { ...ports, gateway });
    const [entry] = await listAuditEntries(tenantId, { limit: 10 });
    expect(entry).toMatchObject({ action: 'suspend.failed', detail: { code: 'internal' } });
    expect(entry?.after).toEqual(entry?.before);
  });
});

describe('the audit log', () => {
  const add = (count: number, tenants = 3): Promise<unknown> =>
    world.database.postgres.superuser.query(
      `insert into registry.audit_log (actor, action, tenant_id, detail)
       select 'olga', 'test', 'tenant-' || n % $2::integer, jsonb_build_object('n', n) from generate_series(1, $1::integer) n`,
      [count, tenants],
    );

  async function walk(tenantId: string | undefined, limit: number): Promise<AuditEntry[]> {
    const visited: AuditEntry[] = [];
    for (;;) {
      const last = visited.at(-1);
      const page = await listAuditEntries(tenantId, { limit, cursor: last && [last.entry] });
      visited.push(...page.slice(0, limit));
      if (page.length <= limit) return visited;
    }
  }

  it.each([undefined, 'tenant-1', 'nobody'])(
    'shows each entry once, the latest first, in pages, of %s',
    async (tenantId) => {
      await add(45);
      const { rows } = await world.database.postgres.superuser.query<{ entry: string }>(
        `select entry from registry.audit_log where tenant_id = coalesce($1, tenant_id) order by entry desc`,
        [tenantId ?? null],
      );
      expect((await walk(tenantId, 7)).map(({ entry }) => String(entry))).toEqual(rows.map(({ entry }) => entry));
    },
  );

  it.each([
    ['all tenants', undefined, 'audit_log_pkey'],
    ['one tenant', 'tenant-1', 'audit_log_by_tenant'],
  ])('starts a page of %s where the one before ended, without reading what lies before', async (_, tenantId, index) => {
    await add(20_000, 500);
    await world.database.postgres.superuser.query('analyze registry.audit_log');
    await listAuditEntries(tenantId, { limit: 20, cursor: [10_000] });
    const plan = await planOfLastCall(world.database);
    expect(plan).toContain(`Index Scan Backward using ${index}`);
    expect(plan).not.toMatch(/Rows Removed by Filter|Sort/);
  });
});
