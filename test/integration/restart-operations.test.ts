import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { restartOperations } from '../../functions/restart-operations/service.ts';
import { claimUntouchedOperations, oldestUnfinishedSeconds } from '../../shared/control/index.ts';
import { createOperation } from '../../shared/control/operations.ts';
import { startControlRegistry } from '../helpers/control-registry.ts';
import { startTestLambda, type TestLambda } from '../helpers/lambda.ts';
import { captureJsonLines } from '../helpers/stdout.ts';
import type { TestTenantDatabase } from '../helpers/tenant-database.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

const tenants = ['acme', 'globex', 'initech'] as const;
let database: TestTenantDatabase;
beforeAll(async () => {
  database = await startControlRegistry(tenants);
});
afterAll(() => database[Symbol.asyncDispose]());
beforeEach(async () => {
  await database.postgres.superuser.query('delete from registry.operations');
});

/** An unfinished operation that nobody has touched for so many minutes. */
async function unfinished(
  tenantId: string,
  minutes: number,
  state: 'pending' | 'running' = 'running',
): Promise<string> {
  const { id } = await createOperation({ kind: 'suspend', tenantId, input: {}, actor: 'olga' });
  await database.postgres.superuser.query(
    `update registry.operations set state = $2, created_at = now() - $3::int * interval '1 min',
       updated_at = now() - $3::int * interval '1 min' where id = $1`,
    [id, state, minutes],
  );
  return id;
}
const minutesAgo = (minutes: number): Date => new Date(Date.now() - minutes * 60_000);

/** Starts that were asked for. */
const started: [string, string | undefined][] = [];
const starter = {
  start: async (operationId: string, name?: string): Promise<void> => void started.push([operationId, name]),
};
const restart = (minutes: number, most = 20): Promise<number> =>
  restartOperations(() => claimUntouchedOperations(minutesAgo(minutes), most), starter);

describe('operations that nobody goes on with', () => {
  beforeEach(() => void started.splice(0));

  it('are started again, the longest waiting first, under a name that no execution has had; others are let be', async () => {
    const young = await unfinished('acme', 4);
    const lost = await unfinished('globex', 6, 'pending');
    const stuck = await unfinished('initech', 30);
    await expect(restart(5)).resolves.toBe(2);
    expect(started).toEqual([
      [stuck, `${stuck}-1`],
      [lost, `${lost}-1`],
    ]);
    expect(started.flat()).not.toContain(young);
  });

  it('count as touched then, and are started once more, under another name, when nothing comes of it', async () => {
    const id = await unfinished('acme', 6);
    await restart(5);
    await expect(restart(5)).resolves.toBe(0);
    await database.postgres.superuser.query(`update registry.operations set updated_at = now() - interval '6 min'`);
    await restart(5);
    expect(started.map(([, name]) => name)).toEqual([`${id}-1`, `${id}-2`]);
  });

  it('are started by one of those who look at the same time, and no more at once than a run may', async () => {
    for (const tenantId of tenants) await unfinished(tenantId, 6);
    expect(await Promise.all([restart(5, 2), restart(5, 2), restart(5, 2)])).toSatisfy(
      (counts: number[]) => counts.reduce((sum, count) => sum + count, 0) === 3 && Math.max(...counts) <= 2,
    );
    expect(new Set(started.map(([id]) => id)).size).toBe(3);
  });

  it('are let be once they have ended', async () => {
    const id = await unfinished('acme', 60);
    await database.postgres.superuser.query(`update registry.operations set state = 'succeeded', ended_at = now()`);
    await expect(restart(5)).resolves.toBe(0);
    expect(await oldestUnfinishedSeconds()).toBe(0);
    expect(id).not.toBe('');
  });

  it('get their turn also if one of them cannot be started, and the run fails then', async () => {
    const broken = await unfinished('acme', 30);
    const fine = await unfinished('globex', 6);
    const start = async (operationId: string): Promise<void> => {
      if (operationId === broken) throw new Error('Lambda is not there.');
      started.push([operationId, undefined]);
    };
    const run = restartOperations(() => claimUntouchedOperations(minutesAgo(5), 20), { start });
    await expect(run).rejects.toThrow('1 operations were not started again.');
    expect(started.map(([id]) => id)).toEqual([fine]);
  });
});

describe('the function', () => {
  let lambda: TestLambda;
  beforeAll(async () => {
    const code = `import { appendFileSync } from 'node:fs';
      import { withDurableExecution } from '@aws/durable-execution-sdk-js';
      export const handler = withDurableExecution(async (event) => appendFileSync('../runs', event.operationId));`;
    const DurableConfig = { ExecutionTimeout: 60 };
    lambda = await startTestLambda([{ name: 'operations', code, properties: { DurableConfig } }]);
    process.env['TENANTRY_OPERATIONS_FUNCTION_ARN'] = `${lambda.arnOf('operations')}:live`;
    process.env['TENANTRY_RESTART_AFTER_SECONDS'] = '300';
    process.env['AWS_ENDPOINT_URL_LAMBDA'] = lambda.api.url;
  });
  afterAll(() => lambda[Symbol.asyncDispose]());

  it('starts what was not touched for as long as its configuration says, and measures', async () => {
    const { handler } = await import('../../functions/restart-operations/handler.ts');
    const lines = captureJsonLines();
    await unfinished('acme', 4);
    await handler({});
    expect(lines).toEqual([
      expect.objectContaining({ service: 'restart-operations', unfinished_operation_age_seconds: expect.any(Number) }),
    ]);
    expect(Number(lines[0]?.['unfinished_operation_age_seconds'])).toBeCloseTo(240, -1);
    await database.postgres.superuser.query(`update registry.operations set updated_at = now() - interval '6 min'`);
    await handler({});
    expect(lines.at(-1)).toMatchObject({ restarted_operations_total: 1 });
  });

  it('starts what was not touched since a certain time, if it is told one', async () => {
    const { handler } = await import('../../functions/restart-operations/handler.ts');
    captureJsonLines();
    const id = await unfinished('globex', 1);
    await handler({ untouchedSince: new Date().toISOString() });
    const { readFileSync } = await import('node:fs');
    await vi.waitFor(() => expect(readFileSync(`${lambda.folder}/runs`, 'utf8')).toContain(id), 10_000);
    await expect(handler({ untouchedSince: 'yesterday' })).rejects.toThrow('untouchedSince');
  });
});
