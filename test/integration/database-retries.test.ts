import { createServer } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Fault } from '../../local/data-api/faults.ts';
import { withDeadline } from '../../shared/database/index.ts';
import { openTenantDatabase } from '../../shared/database/tenant-database.ts';
import { pointSdkAt, startTenantDatabase, type TestTenantDatabase } from '../helpers/tenant-database.ts';

let api: TestTenantDatabase;
beforeAll(async () => {
  api = await startTenantDatabase(['acme']);
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.postgres.superuser.query('truncate pool.projects, pool.tasks');
  api.calls.length = 0;
});
afterEach(() => pointSdkAt(api.server.url));

const write = () => api.db.insertInto('projects').values({ name: 'One' }).execute();
const read = () => api.db.selectFrom('projects').select('name').execute();
const batch = () => api.db.batch([api.db.insertInto('projects').values({ name: 'One' })]);
const transaction = () => api.db.transaction().execute((trx) => trx.selectFrom('projects').select('name').execute());
const operations = () => api.calls.map(({ operation }) => operation);
const stored = async () => (await api.postgres.superuser.query('select from pool.projects')).rowCount;

const beforeAnyEffect = ['DatabaseResumingException', 'ThrottlingException', 'SecretsErrorException'] as const;
const afterPossibleEffect = [
  'ConnectionDropped',
  'InternalServerErrorException',
  'ServiceUnavailableError',
  'DatabaseUnavailableException',
] as const;

describe('what has certainly not run is sent again', () => {
  test.each(beforeAnyEffect)('%s, whatever the statement', async (error) => {
    api.server.inject({ error, times: 3 });
    await api.as('acme', write);
    api.server.inject({ error, times: 2 });
    expect(await api.as('acme', read)).toEqual([{ name: 'One' }]);
    api.server.inject({ error, operations: ['BeginTransaction'] });
    await api.as('acme', transaction);
    expect(operations().filter((operation) => operation === 'BeginTransaction')).toHaveLength(2);
    expect(await stored()).toBe(1);
  });

  test('also when nobody listens yet', async () => {
    const closed = createServer();
    await new Promise<void>((resolve) => void closed.listen(0, '127.0.0.1', resolve));
    const address = closed.address();
    if (typeof address !== 'object' || !address) throw new Error('The server has no port.');
    await new Promise((resolve) => closed.close(resolve));
    const late = createServer((request, response) => {
      request.resume();
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ records: [[{ stringValue: '{"affected": 1}' }]] }));
    });
    pointSdkAt(`http://127.0.0.1:${address.port}`);
    const db = openTenantDatabase(api.config);
    setTimeout(() => late.listen(address.port, '127.0.0.1'), 150);
    const result = await api.as('acme', () => db.insertInto('projects').values({ name: 'One' }).execute());
    await new Promise((resolve) => {
      late.close(resolve);
      late.closeAllConnections();
    });
    expect(result).toMatchObject([{ numInsertedOrUpdatedRows: 1n }]);
  });
});

describe('what may have run is', () => {
  const faults = afterPossibleEffect.flatMap((error): Fault[] => [
    { error, when: 'before' },
    { error, when: 'after' },
  ]);

  test.each(faults)('sent again when it only reads: $error $when', async (fault) => {
    api.server.inject({ ...fault, times: 2 });
    expect(await api.as('acme', read)).toEqual([]);
    expect(operations()).toHaveLength(3);
  });

  test.each(faults)('not sent again when it writes: $error $when', async (fault) => {
    for (const work of [write, batch]) {
      api.server.inject(fault);
      await expect(api.as<unknown>('acme', work)).rejects.toMatchObject({
        code: 'database-unavailable',
        retryAfterSeconds: 5,
      });
      await api.postgres.superuser.query('truncate pool.projects cascade');
    }
    expect(operations()).toEqual(['ExecuteStatement', 'ExecuteStatement']);
  });

  test('sent four times at most', async () => {
    api.server.inject({ error: 'InternalServerErrorException', times: 4 });
    await expect(api.as('acme', read)).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(operations()).toHaveLength(4);
  });
});

describe('never sent again is', () => {
  test.each([...beforeAnyEffect, ...afterPossibleEffect])('COMMIT, after %s', async (error) => {
    api.server.inject({ error, operations: ['CommitTransaction'] });
    await expect(api.as('acme', transaction)).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(operations().filter((operation) => operation === 'CommitTransaction')).toHaveLength(1);
  });

  test.each([...beforeAnyEffect, ...afterPossibleEffect])(
    'a statement of a transaction, even one that reads, after %s',
    async (error) => {
      api.server.inject({ error, operations: ['ExecuteStatement'] });
      await expect(api.as('acme', transaction)).rejects.toMatchObject({ code: 'database-unavailable' });
      expect(operations()).toEqual(['BeginTransaction', 'ExecuteStatement', 'RollbackTransaction']);
    },
  );

  test.each(afterPossibleEffect)('BEGIN, when a transaction may be open already, after %s', async (error) => {
    api.server.inject({ error, operations: ['BeginTransaction'] });
    await expect(api.as('acme', transaction)).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(operations()).toEqual(['BeginTransaction']);
  });

  test.each([
    'BadRequestException',
    'StatementTimeoutException',
    'ForbiddenException',
    'DatabaseErrorException',
  ] as const)('a read that would fail again, after %s', async (error) => {
    api.server.inject({ error });
    await expect(api.as('acme', read)).rejects.toThrow();
    expect(operations()).toHaveLength(1);
  });
});

describe('the deadline of the request', () => {
  test('ends the repeating', async () => {
    api.server.inject({ error: 'DatabaseResumingException', times: 1_000 });
    const startedAt = Date.now();
    const work = () => withDeadline(Date.now() + 300, read);
    await expect(api.as('acme', work)).rejects.toMatchObject({ code: 'database-unavailable' });
    expect(Date.now() - startedAt).toBeLessThan(2_000);
    expect(operations().length).toBeGreaterThan(1);
  });

  test('ends a call that does not answer', async () => {
    api.server.setLatency(3_000);
    const work = () => withDeadline(Date.now() + 100, read);
    await expect(api.as('acme', work)).rejects.toMatchObject({ code: 'statement-timeout' });
    api.server.setLatency(0);
  });
});
