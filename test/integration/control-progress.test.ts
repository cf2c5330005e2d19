import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createOperation, type OperationRequest, readOperation } from '../../shared/control/operations.ts';
import { abandonOperation, endOperation, markStep, startOperation } from '../../shared/control/operations-progress.ts';
import { uuidv7 } from '../../shared/http/index.ts';
import { registryRows, startControlRegistry } from '../helpers/control-registry.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry(['initech']);
});
afterAll(() => database[Symbol.asyncDispose]());

const suspend = (tenantId: string): OperationRequest<'suspend'> => ({
  kind: 'suspend',
  tenantId,
  input: {},
  actor: 'olga',
});
describe('an operation under way', () => {
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
    const late = { code: 'internal', message: 'late', remedy: 'none' };
    await expect(abandonOperation(id, late)).resolves.toEqual(ended);
    await expect(markStep(id, 'zero', 'running')).resolves.toMatchObject({ outcome: 'refused' });
    await expect(endOperation(id, 'suspend')).resolves.toEqual(ended);
    await expect(startOperation(id, ['three'])).resolves.toEqual(ended);
    expect((await registryRows(database, 'events', 'initech')).map((row) => 'type' in row && row.type)).toEqual([
      'deactivateRequest',
      'deactivateSuccess',
    ]);
    expect(await registryRows(database, 'audit_log', 'initech')).toMatchObject([
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
    expect((await registryRows(database, 'events', 'initech')).at(-1)).toMatchObject({
      type: 'deactivateFailure',
      sequence: '4',
      detail: { operationId: id, error },
    });
  });

  it('says of the step at which it was abandoned that it failed, unless that is undone', async () => {
    const { id } = await createOperation(suspend('initech'));
    await startOperation(id, ['one', 'two']);
    await markStep(id, 'one', 'running');
    const abandoned = await abandonOperation(id, { code: 'internal', message: 'late', remedy: 'none' });
    expect(abandoned.steps).toMatchObject([{ state: 'failed', endedAt: expect.any(String) }, { state: 'pending' }]);
    await expect(markStep(id, 'one', 'undoing')).resolves.toMatchObject({ outcome: 'marked' });
    await endOperation(id, 'suspend');
  });

  it('has steps that go forth until it is abandoned, and back from then on, whoever else is at them', async () => {
    const { id } = await createOperation(suspend('initech'));
    await startOperation(id, ['one', 'two']);
    await expect(markStep(id, 'one', 'undoing')).resolves.toMatchObject({ outcome: 'refused' });
    await expect(markStep(id, 'one', 'succeeded')).resolves.toMatchObject({ outcome: 'refused' });
    for (const state of ['running', 'running', 'succeeded'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toMatchObject({ outcome: 'marked' });
    }
    for (const state of ['running', 'succeeded'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toMatchObject({ outcome: 'done' });
    }
    await abandonOperation(id, { code: 'internal', message: 'late', remedy: 'none' });
    await expect(markStep(id, 'two', 'running')).resolves.toMatchObject({ outcome: 'refused' });
    for (const state of ['undoing', 'undoing', 'undone'] as const) {
      await expect(markStep(id, 'one', state)).resolves.toMatchObject({ outcome: 'marked' });
    }
    for (const state of ['undoing', 'undone'] as const)
      await expect(markStep(id, 'one', state)).resolves.toMatchObject({ outcome: 'done' });
    await expect(markStep(id, 'three', 'undoing')).resolves.toMatchObject({ outcome: 'refused' });
    await expect(endOperation(id, 'suspend')).resolves.toMatchObject({ state: 'failed', percent: 0 });
  });
});
