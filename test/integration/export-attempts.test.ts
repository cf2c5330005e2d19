import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import type { Ports } from '../../functions/operations/ports.ts';
import { readOperation } from '../../shared/control/operations.ts';
import { type OperationWorld, startOperationWorld, type TestSubject } from '../helpers/operations/operation-world.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** An execution that is held up in the writing of a file until it is let go. */
function heldUp({ ports }: TestSubject, table: string): { ports: Ports; isHeld: Promise<void>; letGo: () => void } {
  const held = Promise.withResolvers<undefined>();
  const going = Promise.withResolvers<undefined>();
  const write: Ports['exports']['write'] = async (key, content) => {
    if (key.includes(`/${table}.`)) {
      held.resolve(undefined);
      await going.promise;
    }
    return ports.exports.write(key, content);
  };
  return {
    ports: { ...ports, exports: { ...ports.exports, write } },
    isHeld: held.promise,
    letGo: () => going.resolve(undefined),
  };
}

it.each(['projects', 'tasks'])(
  'an export stays what it is when an execution that was held up before %s goes on after the rows are erased',
  async (table) => {
    const subject = await world.prepare('offboard');
    const operationId = await world.ask('offboard', subject.tenantId);
    const late = heldUp(subject, table);
    const lateRun = world.run(operationId, late.ports);
    await late.isHeld;
    let before: unknown;
    const purge = async (tenantId: string): Promise<void> => {
      // The rows are gone, and the tenant still has its place, so that they can be looked for.
      before ??= world.exports.of(tenantId)[operationId];
      late.letGo();
      await lateRun;
      await subject.ports.cache.purge(tenantId);
    };
    await world.run(operationId, { ...subject.ports, cache: { ...subject.ports.cache, purge } });
    await expect(readOperation(operationId)).resolves.toMatchObject({ state: 'succeeded', counts: { erasedRows: 8 } });

    const { [operationId]: after } = world.exports.of(subject.tenantId);
    expect(after?.manifest.rows).toBe(8);
    expect(after).toEqual(before);
    const newcomer = await world.prepare('onboard');
    const restoring = await world.ask('onboard', newcomer.tenantId, { from: operationId });
    await world.run(restoring, newcomer.ports);
    await expect(readOperation(restoring)).resolves.toMatchObject({ error: null, counts: { restoredRows: 8 } });
  },
);

it('of two executions that export at the same time both name the same files', async () => {
  const subject = await world.prepare('export');
  const operationId = await world.ask('export', subject.tenantId);
  await Promise.all([world.run(operationId, subject.ports), world.run(operationId, subject.ports)]);
  const { [operationId]: exported } = world.exports.of(subject.tenantId);
  await expect(readOperation(operationId)).resolves.toMatchObject({ state: 'succeeded', counts: { exportedRows: 8 } });
  expect(Object.keys(exported?.files ?? {})).toHaveLength(3);
});
