import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  createOperation,
  listOperations,
  type OperationRequest,
  readOperation,
} from '../../shared/control/operations.ts';
import { startOperation } from '../../shared/control/operations-progress.ts';
import { registryRows, startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry(['acme', 'globex', 'initech', 'hooli', 'umbrella']);
});
afterAll(() => database[Symbol.asyncDispose]());

const suspend = (tenantId: string, idempotencyKey?: string): OperationRequest<'suspend'> => ({
  kind: 'suspend',
  tenantId,
  input: {},
  actor: 'olga',
  idempotencyKey,
});
const onboard = (tenantId: string): OperationRequest<'onboard'> => ({
  kind: 'onboard',
  tenantId,
  input: { name: 'New', plan: 'free', placement: database.postgres.placement },
  actor: 'olga',
});

describe('an operation', () => {
  it('is written with the event of its request and its entry in the audit log, in one call', async () => {
    const before = database.calls.length;
    const operation = await createOperation(suspend('acme'));
    expect(database.calls.length - before).toBe(1);
    expect(operation).toMatchObject({ kind: 'suspend', tenantId: 'acme', state: 'pending', percent: 0, actor: 'olga' });
    expect(operation.before).toMatchObject({ plan: 'free', state: 'active' });
    await expect(readOperation(operation.id)).resolves.toEqual(operation);
    expect(await registryRows(database, 'events', 'acme')).toMatchObject([
      { type: 'deactivateRequest', sequence: '1', detail: { operationId: operation.id }, published_at: null },
    ]);
    expect(await registryRows(database, 'audit_log', 'acme')).toMatchObject([
      {
        action: 'suspend.requested',
        actor: 'olga',
        operation_id: operation.id,
        before: { state: 'active' },
        after: null,
      },
    ]);
  });

  it('is one, however often it is asked for at once with the same idempotency key', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => createOperation(suspend('globex', 'once'))));
    expect(new Set(all.map(({ id }) => id)).size).toBe(1);
    for (const table of ['operations', 'events', 'audit_log'] as const) {
      expect(await registryRows(database, table, 'globex'), table).toHaveLength(1);
    }
  });

  it('refuses an idempotency key that belongs to another one', async () => {
    await expect(createOperation({ ...suspend('globex', 'once'), kind: 'activate' })).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
    await expect(createOperation(suspend('initech', 'once'))).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await registryRows(database, 'operations', 'initech')).toEqual([]);
  });

  it('is the only unfinished one of its tenant: of several at once one is made, and the others name it', async () => {
    const answers = await Promise.allSettled(
      Array.from({ length: 8 }, (_, index) => createOperation(suspend('hooli', `hooli-${index}`))),
    );
    const made = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
    expect(made).toHaveLength(1);
    for (const answer of answers.filter(({ status }) => status === 'rejected')) {
      expect(answer).toMatchObject({
        reason: { code: 'operation-in-progress', status: 409, message: expect.stringContaining(made[0]?.id ?? '-') },
      });
    }
    expect(await registryRows(database, 'events', 'hooli')).toHaveLength(1);
  });

  it('is refused for a tenant that exists, where it makes one, and for one that does not, where it changes one', async () => {
    await expect(createOperation(onboard('umbrella'))).rejects.toMatchObject({ code: 'tenant-exists', status: 409 });
    await expect(createOperation(suspend('nobody'))).rejects.toMatchObject({ code: 'not-found' });
    for (const tenantId of ['umbrella', 'nobody']) {
      for (const table of ['operations', 'events', 'audit_log'] as const) {
        expect(await registryRows(database, table, tenantId), table).toEqual([]);
      }
    }
  });

  it('that waited for the end of another one sees what that one did', async () => {
    const { id } = await createOperation(onboard('newcomer'));
    await startOperation(id, ['register']);
    const other = await database.postgres.connectAs('control');
    await other.query('begin');
    await other.query(
      `insert into registry.tenants (tenant_id, name, plan, model, cluster, database, schema)
       values ('newcomer', 'New', 'free', 'bridge', 'main', 'elsewhere', 'newcomer')`,
    );
    await other.query(`select registry.end_operation($1, 'onboardingSuccess', 'onboardingFailure')`, [id]);
    const second = createOperation(onboard('newcomer'));
    const isWaiting = `select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
    await vi.waitUntil(async () => (await database.postgres.superuser.query(isWaiting)).rowCount === 1);
    await other.query('commit');
    await expect(second).rejects.toMatchObject({ code: 'tenant-exists' });
    expect(await registryRows(database, 'operations', 'newcomer')).toHaveLength(1);
  });
});

describe('the id of a tenant that was offboarded', () => {
  it('is refused to another one, whose rows the tokens of its users would show, unless it is the same that comes back', async () => {
    await database.postgres.superuser.query(
      `insert into registry.operations (id, tenant_id, kind, input, actor, state, ended_at)
       values (gen_random_uuid(), 'departed', 'offboard', '{}', 'olga', 'succeeded', now())`,
    );
    await expect(createOperation(onboard('departed'))).rejects.toMatchObject({ code: 'tenant-id-used' });
    const again = onboard('departed');
    const operation = await createOperation({ ...again, input: { ...again.input, reuseId: true } });
    expect(operation).toMatchObject({ state: 'pending', input: { reuseId: true } });
  });
});

describe('the list of operations', () => {
  it('comes in pages, the newest first, each once, also among those of one time', async () => {
    await database.postgres.superuser.query(
      `insert into registry.operations (id, tenant_id, kind, input, actor, state, ended_at, created_at)
       select gen_random_uuid(), 'listed', 'suspend', '{}', 'olga', 'succeeded', now(), timestamptz '2020-01-01' + n / 4 * interval '1 s'
       from generate_series(0, 29) n`,
    );
    const visited: { id: string; createdAt: string }[] = [];
    let cursor: [string, string] | undefined;
    for (;;) {
      const rows = await listOperations({ tenantId: 'listed' }, { limit: 7, cursor });
      visited.push(...rows.slice(0, 7));
      const last = visited.at(-1);
      if (rows.length <= 7 || !last) break;
      cursor = [last.createdAt, last.id];
    }
    expect(visited).toHaveLength(30);
    const keys = visited.map(({ createdAt, id }) => createdAt + id);
    expect(keys).toEqual([...new Set(keys)].toSorted().toReversed());
  });

  it('can be filtered by state', async () => {
    const page = { limit: 100 };
    const states = async (state: 'pending' | 'succeeded') =>
      new Set((await listOperations({ state }, page)).map((operation) => operation.state));
    expect(await states('pending')).toEqual(new Set(['pending']));
    expect(await states('succeeded')).toEqual(new Set(['succeeded']));
  });
});
