import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOperation, type OperationRequest, readOperation } from '../../shared/control/operations.ts';
import { abandonOperation, endOperation, markStep, startOperation } from '../../shared/control/operations-progress.ts';
import { uuidv7 } from '../../shared/http/index.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
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

async function rowsOf(table: 'operations' | 'events' | 'audit_log', tenantId: string): Promise<object[]> {
  const order = { operations: 'created_at', events: 'sequence', audit_log: 'entry' }[table];
  const { rows } = await database.postgres.superuser.query<object>(
    `select * from registry.${table} where tenant_id = $1 order by ${order}`,
    [tenantId],
  );
  return rows;
}

describe('an operation', () => {
  it('is written with the event of its request and its entry in the audit log, in one call', async () => {
    const before = database.calls.length;
    const operation = await createOperation(suspend('acme'));
    expect(database.calls.length - before).toBe(1);
    expect(operation).toMatchObject({ kind: 'suspend', tenantId: 'acme', state: 'pending', percent: 0, actor: 'olga' });
    expect(operation.before).toMatchObject({ plan: 'free', state: 'active' });
    await expect(readOperation(operation.id)).resolves.toEqual(operation);
    expect(await rowsOf('events', 'acme')).toMatchObject([
      { type: 'deactivateRequest', sequence: '1', detail: { operationId: operation.id }, published_at: null },
    ]);
    expect(await rowsOf('audit_log', 'acme')).toMatchObject([
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
      expect(await rowsOf(table, 'globex'), table).toHaveLength(1);
    }
  });

  it('refuses an idempotency key that belongs to another one', async () => {
    await expect(createOperation({ ...suspend('globex', 'once'), kind: 'activate' })).rejects.toMatchObject({
      code: 'idempotency-key-reused',
    });
    await expect(createOperation(suspend('initech', 'once'))).rejects.toMatchObject({ code: 'idempotency-key-reused' });
    expect(await rowsOf('operations', 'initech')).toEqual([]);
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
    expect(await rowsOf('events', 'hooli')).toHaveLength(1);
  });

  it('is refused for a tenant that exists, where it makes one, and for one that does not, where it changes one', async () => {
    await expect(createOperation(onboard('umbrella'))).rejects.toMatchObject({ code: 'tenant-exists', status: 409 });
    await expect(createOperation(suspend('nobody'))).rejects.toMatchObject({ code: 'not-found' });
    for (const tenantId of ['umbrella', 'nobody']) {
      for (const table of ['operations', 'events', 'audit_log'] as const) {
        expect(await rowsOf(table, tenantId), table).toEqual([]);
      }
    }
  });

  it('is unknown until it is made', async () => {
    await expect(readOperation(uuidv7())).resolves.toBeUndefined();
    await expect(startOperation(uuidv7(), ['one'])).resolves.toBeUndefined();
  });

  it('shows which of its steps are done, and ends once', async () => {
    const { id } = await createOperation(suspend('initech'));
    await startOperation(id, ['one', 'two']);
    await markStep(id, 'one', 'running');
    await markStep(id, 'one', 'succeeded');
    const halfway = await startOperation(id, ['one', 'two']);
    expect(halfway).toMatchObject({ state: 'running', percent: 50, endedAt: null });
    expect(halfway?.steps.map(({ name, state }) => [name, state])).toEqual([
      ['one', 'succeeded'],
      ['two', 'pending'],
    ]);
    const asLaterVersion = await startOperation(id, ['zero', 'one']);
    expect(asLaterVersion?.steps.map(({ name, state }) => [name, state])).toEqual([
      ['zero', 'pending'],
      ['one', 'succeeded'],
    ]);
    const ended = await endOperation(id, 'suspend');
    expect(ended).toMatchObject({ state: 'succeeded', percent: 100, error: null });
    await expect(markStep(id, 'zero', 'running')).resolves.toBe('refused');
    await expect(endOperation(id, 'suspend')).resolves.toEqual(ended);
    await expect(startOperation(id, ['three'])).resolves.toEqual(ended);
    expect((await rowsOf('events', 'initech')).map((row) => 'type' in row && row.type)).toEqual([
      'deactivateRequest',
      'deactivateSuccess',
    ]);
    expect(await rowsOf('audit_log', 'initech')).toMatchObject([
      { action: 'suspend.requested' },
      { action: 'suspend.succeeded', before: { state: 'active' }, after: { state: 'active' } },
    ]);
  });

  it('keeps the first reason for which it was abandoned, and says it in its event', async () => {
    const { id } = await createOperation(suspend('initech'));
    await startOperation(id, ['one']);
    const error = { code: 'internal', message: 'first', remedy: 'none' };
    await abandonOperation(id, error);
    await abandonOperation(id, { ...error, message: 'second' });
    await expect(endOperation(id, 'suspend')).resolves.toMatchObject({ state: 'failed', error });
    expect((await rowsOf('events', 'initech')).at(-1)).toMatchObject({
      type: 'deactivateFailure',
      sequence: '4',
      detail: { operationId: id, error },
    });
  });

  it('has steps that go forth until it is abandoned, and back from then on, whoever else is at them', async () => {
    const { id } = await createOperation(suspend('initech'));
    await startOperation(id, ['one', 'two']);
    await expect(markStep(id, 'one', 'undoing')).resolves.toBe('refused');
    await expect(markStep(id, 'one', 'succeeded')).resolves.toBe('refused');
    for (const state of ['running', 'running', 'succeeded'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toBe('marked');
    }
    for (const state of ['running', 'succeeded'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toBe('done');
    }
    await abandonOperation(id, { code: 'internal', message: 'late', remedy: 'none' });
    await expect(markStep(id, 'two', 'running')).resolves.toBe('refused');
    for (const state of ['undoing', 'undoing', 'undone'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toBe('marked');
    }
    for (const state of ['undoing', 'undone'] as const) await expect(markStep(id, 'one', state)).resolves.toBe('done');
    await expect(markStep(id, 'three', 'undoing')).resolves.toBe('refused');
    await expect(endOperation(id, 'suspend')).resolves.toMatchObject({ state: 'failed', percent: 0 });
  });
});
