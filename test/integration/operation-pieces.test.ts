import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Ports } from '../../functions/operations/ports.ts';
import { type Durable, runOperation } from '../../functions/operations/run-operation.ts';
import { reportProgress } from '../../shared/control/index.ts';
import { readOperation } from '../../shared/control/operations.ts';
import {
  type OperationWorld,
  smallestPieces,
  startOperationWorld,
  type TestSubject,
} from '../helpers/operations/operation-world.ts';
import { asTenant } from '../helpers/tenant-row-samples.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** A tenant with rows for several pages. */
async function prepareLarge(): Promise<TestSubject> {
  const subject = await world.prepare('export');
  await asTenant(world.database.postgres.superuser, subject.tenantId, [
    `insert into pool.projects (tenant_id, name, description) select $1, 'P' || n, repeat('x', 1900) from generate_series(1, 900) n`,
  ]);
  return subject;
}

const filesOf = (tenantId: string, operationId: string): string[] =>
  Object.keys(world.exports.of(tenantId)[operationId]?.files ?? {}).map((file) => file.replace(/^[^/]*\//, ''));

async function exportBy({ tenantId }: TestSubject, ports: Ports): Promise<string> {
  const operationId = await world.ask('export', tenantId);
  await expect(world.run(operationId, ports, 1, smallestPieces)).resolves.toBe('SUCCEEDED');
  return operationId;
}

describe('a step with more to do than there is time for', () => {
  it('goes on piece by piece, also when pieces fail in passing, and a restored tenant has all rows', async () => {
    const subject = await prepareLarge();
    let calls = 0;
    const read: Ports['rows']['read'] = (...args) => {
      calls += 1;
      if (calls % 2 === 0) throw new Error('The connection broke.');
      return subject.ports.rows.read(...args);
    };
    const operationId = await world.ask('export', subject.tenantId);
    await world.run(operationId, { ...subject.ports, rows: { ...subject.ports.rows, read } }, 3, smallestPieces);
    expect(filesOf(subject.tenantId, operationId)).toEqual([
      'idempotency_keys.1.jsonl',
      'projects.1.jsonl',
      'projects.2.jsonl',
      'projects.3.jsonl',
      'projects.4.jsonl',
      'tasks.1.jsonl',
    ]);
    // Nothing was read twice but what had failed.
    expect(calls).toBe(11);
    const newcomer = await world.prepare('onboard');
    const restoring = await world.ask('onboard', newcomer.tenantId, { from: operationId });
    await world.run(restoring, newcomer.ports, 1, smallestPieces);
    await expect(readOperation(restoring)).resolves.toMatchObject({ error: null, counts: { restoredRows: 908 } });
  });

  it('begins anew when its view of the rows is gone, so that all files show one moment', async () => {
    const subject = await prepareLarge();
    const { ports, tenantId } = subject;
    let interruptions = 0;
    const writeFirst: Ports['exports']['writeFirst'] = async (key, content) => {
      await ports.exports.writeFirst(key, content);
      if (!key.endsWith('progress.json') || interruptions > 0) return;
      interruptions += 1;
      const { view } = JSON.parse(content.toString()) as {
        view: { at: string; migrations: string[]; transaction: string };
      };
      await ports.rows.close({ tenantId, placement: world.database.postgres.placement, ...view });
      await asTenant(world.database.postgres.superuser, tenantId, [
        `insert into pool.projects (tenant_id, name) values ($1, 'late')`,
      ]);
    };
    const operationId = await exportBy(subject, { ...ports, exports: { ...ports.exports, writeFirst } });
    expect(interruptions).toBe(1);
    expect(world.exports.of(tenantId)[operationId]?.manifest).toMatchObject({
      rows: 909,
      consistency: 'repeatable-read',
    });
  });

  it('does nothing in an invocation that has no time left, and all in the next ones', async () => {
    const subject = await world.prepare('export');
    const operationId = await world.ask('export', subject.tenantId);
    const parts: string[] = [];
    let pauses = 0;
    const durable: Durable = {
      once: (name, work) => {
        parts.push(name);
        return work();
      },
      pause: async () => void (pauses += 1),
      untilAnswered: async () => undefined,
      pieceMs: () => (pauses === 0 ? undefined : 60_000),
    };
    await runOperation(operationId, subject.ports, durable);
    expect(parts).toEqual(['read', 'start', 'export-rows', 'export-rows, piece 2', 'end']);
    expect(pauses).toBe(1);
    expect(filesOf(subject.tenantId, operationId)).toHaveLength(3);
  });

  it('waits for another invocation between two pieces', async () => {
    const subject = await world.prepare('export');
    const operationId = await world.ask('export', subject.tenantId);
    const pieces = { ...smallestPieces, pauseSeconds: 1 };
    await expect(world.run(operationId, subject.ports, 1, pieces)).resolves.toBe('SUCCEEDED');
    await expect(readOperation(operationId)).resolves.toMatchObject({ counts: { exportedRows: 8 } });
  });

  it('says that somebody is at work also while it is not as far as it was', async () => {
    const subject = await world.prepare('export');
    const operationId = await world.ask('export', subject.tenantId);
    await subject.ports.registry.start(operationId, ['export-rows']);
    await subject.ports.registry.mark(operationId, 'export-rows', 'running');
    await reportProgress(operationId, 'export-rows', { share: 0.5, counts: { exportedRows: 5 } });
    const before = await readOperation(operationId);
    await reportProgress(operationId, 'export-rows', { share: 0.1, counts: { exportedRows: 1 } });
    const after = await readOperation(operationId);
    expect(after).toMatchObject({ percent: 50, counts: { exportedRows: 5 } });
    expect(after?.updatedAt.localeCompare(before?.updatedAt ?? '')).toBe(1);
  });

  it('erases as many rows as there are', async () => {
    const { tenantId, ports } = await prepareLarge();
    const erase: Ports['rows']['erase'] = (home, most) => ports.rows.erase(home, Math.min(most, 100));
    const operationId = await world.ask('offboard', tenantId);
    await world.run(operationId, { ...ports, rows: { ...ports.rows, erase } }, 1, smallestPieces);
    await expect(readOperation(operationId)).resolves.toMatchObject({
      state: 'succeeded',
      counts: { rows: 908, erasedRows: 908 },
    });
  });
});

describe('counting rows', () => {
  it('that takes too long costs an offboarding its progress, and nothing else', async () => {
    const { superuser } = world.database.postgres;
    const subject = await world.prepare('offboard');
    const { rows } = await superuser.query<{ text: string }>(
      `select pg_get_functiondef('tenancy.find_rows(text)'::regprocedure) as text`,
    );
    await superuser.query(`create or replace function tenancy.find_rows(tenant text)
      returns table (relation text, schema text, held bigint) language plpgsql as
      $$ begin raise exception 'canceling statement due to statement timeout' using errcode = '57014'; end $$`);
    const { ports } = subject;
    let counts = 0;
    const count: Ports['rows']['count'] = async (home) => {
      const counted = await ports.rows.count(home);
      counts += 1;
      // What proves the erasure has to look.
      if (counts === 2) await superuser.query(rows[0]?.text ?? '');
      return counted;
    };
    const operationId = await world.ask('offboard', subject.tenantId);
    await world.run(operationId, { ...ports, rows: { ...ports.rows, count } });
    await expect(readOperation(operationId)).resolves.toMatchObject({
      state: 'succeeded',
      counts: { exportedRows: 8, erasedRows: 8 },
    });
    expect(counts).toBe(2);
  });
});
