import * as sdk from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

let data: TestDataApi;
beforeAll(async () => {
  data = await startTestDataApi({ statementTimeoutMs: 500 });
});
afterAll(() => data[Symbol.asyncDispose]());

const authorization =
  'AWS4-HMAC-SHA256 Credential=local/20260102/eu-central-1/rds-data/aws4_request, SignedHeaders=host, Signature=00ff';
const post = (path: string, body: string, headers: Record<string, string> = { authorization }): Promise<Response> =>
  fetch(data.api.url + path, { method: 'POST', body, headers });

describe('requests that AWS refuses', () => {
  it.each([
    ['several statements', 'select 1; select 2', {}, "Multistatements aren't supported."],
    ['a schema', 'select 1', { schema: 'public' }, "The schema parameter isn't supported"],
    ['a statement that is too long', `select '${'x'.repeat(65_536)}'`, {}, /'sql'/],
    ['an array slice', 'select (array[1,2,3])[1:2]', {}, /misread ":2" in line 1/],
  ])('%s', async (_what, sql, more, message) => {
    await expect(data.execute(sql, [], more)).rejects.toMatchObject({
      name: 'ValidationException',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
    });
  });

  it('a parameter that is not there, or an array', async () => {
    await expect(data.execute('select :nothing')).rejects.toThrow(/supplies 0 parameters.*SQLState: 08P01$/);
    const list = [{ name: 'list', value: { arrayValue: { longValues: [1] } } }];
    await expect(data.execute('select :list', list)).rejects.toMatchObject({
      name: 'BadRequestException',
      message: 'Array parameters are not supported.',
    });
  });

  it('COPY, and the connection is as good as before', async () => {
    await using single = await startTestDataApi({ connectionLimit: 1 });
    await expect(single.execute('copy (select 1) to stdout')).rejects.toThrow('unexpected message: CopyOutResponse');
    await expect(single.execute('copy registry.tenants from stdin')).rejects.toThrow(/^ERROR: COPY from stdin failed/);
    await expect(single.execute('select 1')).resolves.toBeDefined();
  });

  it('ExecuteSql and unknown operations', async () => {
    const { resourceArn: dbClusterOrInstanceArn, secretArn: awsSecretStoreArn } = data.target;

    const old = new sdk.ExecuteSqlCommand({ dbClusterOrInstanceArn, awsSecretStoreArn, sqlStatements: 'select 1' });
    await expect(data.client.send(old)).rejects.toThrow('Use ExecuteStatement');
    const unknown = await post('/Nothing', '{}');
    expect([unknown.status, unknown.headers.get('x-amzn-errortype')]).toEqual([404, 'UnknownOperationException']);
  });

  it.each([
    ['without a signature', {}, 'MissingAuthenticationTokenException'],
    ['with something else than a signature', { authorization: 'Bearer x' }, 'IncompleteSignatureException'],
    [
      'signed for another service',
      { authorization: authorization.replace('rds-data', 's3') },
      'InvalidSignatureException',
    ],
  ])('%s', async (_what, headers: Record<string, string>, name) => {
    const response = await post('/Execute', '{}', headers);
    expect([response.status, response.headers.get('x-amzn-errortype')]).toEqual([403, name]);
  });

  it('more than 4 MiB, and what is not JSON', async () => {
    const large = await post('/Execute', JSON.stringify({ sql: 'x'.repeat(4 * 1024 * 1024) }));
    expect([large.status, large.headers.get('x-amzn-errortype')]).toEqual([413, 'RequestEntityTooLargeException']);
    expect((await post('/Execute', '{')).headers.get('x-amzn-errortype')).toBe('BadRequestException');
  });
});

describe('results that are too large', () => {
  it('are counted as Postgres sends them: 2 bytes a row, 4 bytes and its text a value', async () => {
    const uuids = (rows: number): Promise<sdk.ExecuteStatementCommandOutput> =>
      data.execute(`select md5(i::text)::uuid from generate_series(1, ${rows}) i`);
    const most = Math.floor((1024 * 1024) / (2 + 4 + 36));
    expect((await uuids(most)).records).toHaveLength(most);
    await expect(uuids(most + 1)).rejects.toMatchObject({
      name: 'UnsupportedResultException',
      message: 'The result exceeds the size limit 1 MB.',
    });
  });

  it('have a row of more than 64 KB', async () => {
    expect((await data.execute(`select repeat('x', 65536)`)).records).toHaveLength(1);
    await expect(data.execute(`select repeat('x', 65537)`)).rejects.toMatchObject({
      name: 'UnsupportedResultException',
      message: expect.stringContaining('64 KB'),
    });
  });
});

describe('a statement that takes too long', () => {
  it('is stopped, and leaves nothing', async () => {
    await data.execute('create table slow (id int)');
    await expect(data.execute('insert into slow select 1 from pg_sleep(60)')).rejects.toMatchObject({
      name: 'StatementTimeoutException',
      dbConnectionId: expect.any(Number),
    });
    expect((await data.execute('select from slow')).records).toEqual([]);
    expect(await busy('insert into slow%')).toBe(0);
  });

  it('goes on unseen if the request says so', async () => {
    await data.execute('create table unseen (id int)');
    const sql = 'insert into unseen select 1 from pg_sleep(1)';
    await expect(data.execute(sql, [], { continueAfterTimeout: true })).rejects.toBeInstanceOf(
      sdk.StatementTimeoutException,
    );
    await expect
      .poll(async () => (await data.execute('select from unseen')).records?.length, { timeout: 10_000 })
      .toBe(1);
  });

  it('keeps its transaction busy until it is done', async () => {
    const transactionId = await data.begin();
    const more = { transactionId, continueAfterTimeout: true };
    await expect(data.execute('select pg_sleep(1)', [], more)).rejects.toThrow('Request timed out');
    await expect(data.execute('select 1', [], { transactionId })).rejects.toThrow('still running a query');
    await expect
      .poll(() => data.execute('select 1', [], { transactionId }).then(() => 'done', String), { timeout: 10_000 })
      .toBe('done');
  });
});

async function busy(pattern: string): Promise<number> {
  const { rowCount } = await data.database.superuser.query(
    `select from pg_stat_activity where query like $1 and state = 'active'`,
    [pattern],
  );
  return rowCount ?? 0;
}
