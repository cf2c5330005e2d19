import * as sdk from '@aws-sdk/client-rds-data';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DataApiErrorName, dataApiErrors } from '../../local/data-api/errors.ts';
import { startTestDataApi, type TestDataApi } from '../helpers/data-api.ts';

let data: TestDataApi;
beforeAll(async () => {
  data = await startTestDataApi();
});
afterAll(() => data[Symbol.asyncDispose]());

/** Errors of the SDK's model; the rest are answered by AWS without being in it. */
const modelled = (Object.keys(dataApiErrors) as DataApiErrorName[]).filter((name) => name in sdk);

describe('errors', () => {
  it('cover every error that the client knows', () => {
    const known = Object.keys(sdk).filter((name) => /^[A-Z].*(Exception|Error)$/.test(name) && !name.startsWith('RDS'));
    expect(modelled.toSorted()).toEqual(known.toSorted());
  });

  it.each(modelled)('%s is thrown as the class of that name, with its status', async (name) => {
    data.api.inject({ error: name, message: 'on purpose' });
    const error = await data.execute('select 1').catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(sdk[name as 'BadRequestException']);
    expect(error).toMatchObject({ name, message: 'on purpose', $metadata: { httpStatusCode: dataApiErrors[name] } });
    await expect(data.execute('select 1')).resolves.toBeDefined();
  });

  it('of Postgres are printed as its JDBC driver does, with the SQLSTATE last', async () => {
    await data.execute('create table taken (id int primary key)');
    await data.execute('insert into taken values (1)');
    await expect(data.execute('insert into taken values (1)')).rejects.toMatchObject({
      name: 'DatabaseErrorException',
      message:
        'ERROR: duplicate key value violates unique constraint "taken_pkey"\n  Detail: Key (id)=(1) already exists.; SQLState: 23505',
    });
    await expect(data.execute('select * from nowhere')).rejects.toThrow(
      'ERROR: relation "nowhere" does not exist\n  Position: 15; SQLState: 42P01',
    );
    await expect(
      data.execute(`do $do$ begin raise exception 'Moved' using errcode = 'TN004', hint = 'Look again'; end $do$`),
    ).rejects.toThrow(/^ERROR: Moved\n {2}Hint: Look again\n {2}Where: PL\/pgSQL function [^]*; SQLState: TN004$/);
  });

  it('say which cluster, secret or login is wrong', async () => {
    const other = (target: object): Promise<unknown> => data.execute('select 1', [], target);
    await expect(other({ resourceArn: 'arn:aws:rds:x:y:cluster:z' })).rejects.toBeInstanceOf(
      sdk.HttpEndpointNotEnabledException,
    );
    await expect(other({ secretArn: 'arn:aws:secret:none' })).rejects.toBeInstanceOf(sdk.SecretsErrorException);
    await expect(other({ database: 'nowhere' })).rejects.toThrow(
      'FATAL: database "nowhere" does not exist; SQLState: 3D000',
    );
    await using wrong = await startTestDataApi({ secret: async () => ({ username: 'postgres', password: 'wrong' }) });
    await expect(wrong.execute('select 1')).rejects.toThrow(
      /^FATAL: password authentication failed .*SQLState: 28P01$/,
    );
    await using empty = await startTestDataApi({ secret: async () => ({ username: '', password: '' }) });
    await expect(empty.execute('select 1')).rejects.toBeInstanceOf(sdk.InvalidSecretException);
    await using down = await startTestDataApi({
      clusters: { [data.target.resourceArn]: { host: '127.0.0.1', port: 1 } },
    });
    await expect(down.execute('select 1')).rejects.toBeInstanceOf(sdk.DatabaseUnavailableException);
  });
});

describe('faults', () => {
  it('can strike before a call has an effect, or after', async () => {
    await data.execute('create table struck (id int)');
    data.api.inject({ error: 'ConnectionDropped', operations: ['ExecuteStatement'] });
    await expect(data.execute('insert into struck values (1)')).rejects.toMatchObject({ code: 'ECONNRESET' });
    data.api.inject({ error: 'ServiceUnavailableError', when: 'after' });
    await expect(data.execute('insert into struck values (2)')).rejects.toBeInstanceOf(sdk.ServiceUnavailableError);
    expect((await data.execute('select id from struck')).records).toEqual([[{ longValue: 2 }]]);
  });

  it('strike so many calls, of the operations that they name', async () => {
    data.api.inject({ error: 'DatabaseResumingException', times: 2, operations: ['BeginTransaction'] });
    await expect(data.execute('select 1')).resolves.toBeDefined();
    for (let i = 0; i < 2; i++) await expect(data.begin()).rejects.toBeInstanceOf(sdk.DatabaseResumingException);
    await expect(data.begin()).resolves.toBeDefined();
  });
});

describe('the server', () => {
  it('counts and reports calls', async () => {
    const seen: unknown[] = [];
    await using observed = await startTestDataApi({
      onCall: ({ operation, request, error }) => seen.push({ operation, request, error: error?.name }),
    });
    await observed.execute('select 1');
    await observed.execute('nonsense').catch(() => undefined);
    expect(observed.api.calls).toMatchObject({ ExecuteStatement: 2, BeginTransaction: 0 });
    expect(seen).toMatchObject([
      { operation: 'ExecuteStatement', request: { sql: 'select 1' }, error: undefined },
      { request: { sql: 'nonsense' }, error: 'DatabaseErrorException' },
    ]);
  });

  it('opens no more connections than allowed, over all databases, and serves more calls than that', async () => {
    await using bounded = await startTestDataApi({ connectionLimit: 2, defaultDatabase: 'postgres' });
    const calls = Array.from({ length: 12 }, (_, i) =>
      bounded.execute(
        `select count(*) from pg_stat_activity where application_name = 'rds-data-api' and datname in ('postgres', '${bounded.database.name}')`,
        [],
        i % 2 ? {} : { database: '' },
      ),
    );
    const counts = (await Promise.all(calls)).map(({ records }) => records?.[0]?.[0]?.longValue ?? 0);
    expect(counts).toHaveLength(12);
    expect(Math.max(...counts)).toBeLessThanOrEqual(2);
  });
});
