import * as sdk from '@aws-sdk/client-rds-data';
import { describe, expect, test } from 'vitest';
import { DatabaseError } from '../../../shared/database/database-error.ts';
import { failureOf } from '../../../shared/database/error-mapping.ts';
import { dataApiErrors, type ErrorRow, networkErrors, sqlStates } from '../../../shared/database/error-table.ts';
import { AppError, errorCatalogue } from '../../../shared/errors/index.ts';

type Constructor = new (options: { message: string; $metadata: object }) => Error;

/** Every exception that the client can throw, made as the client makes it. */
const exceptions = Object.entries(sdk)
  .filter(
    (entry): entry is [string, Constructor & (typeof entry)[1]] =>
      typeof entry[1] === 'function' && /(Exception|Error)$/.test(entry[0]),
  )
  .filter(([name]) => name !== 'RDSDataServiceException')
  .map(([name, Exception]): [string, Error] => [
    name,
    new Exception({ message: 'Something private happened.', $metadata: {} }),
  ]);

const databaseError = (sqlState: string, message = 'ERROR: private') =>
  new sdk.DatabaseErrorException({
    message: `${message}\n  Detail: Key (id)=(private).; SQLState: ${sqlState}`,
    $metadata: {},
  });

describe('every exception of the RDS Data API client', () => {
  test('is walked over here', () => {
    expect(exceptions.length).toBeGreaterThanOrEqual(17);
  });

  test.each(exceptions)('%s has a row of the table', (name, exception) => {
    expect(exception.name).toBe(name);
    expect(Object.keys(dataApiErrors)).toContain(name);
    const { error } = failureOf(exception);
    expect(error).toBeInstanceOf(DatabaseError);
    expect(error.cause).toBe(exception);
    expect(error.code).toBe(dataApiErrors[name]?.code);
    expect(error.message).not.toContain('private');
  });
});

describe('an error of Postgres', () => {
  test.each(Object.entries(sqlStates))('with SQLSTATE (or class) %s becomes what the table says', (state, row) => {
    const { error, repeat } = failureOf(databaseError(state.padEnd(5, '9')));
    expect(error).toMatchObject({ code: row.code, message: row.message, sqlState: state.padEnd(5, '9') });
    expect(repeat).toBe(row.repeat ?? 'never');
    expect(Object.keys(errorCatalogue)).toContain(row.code);
  });

  test('that nobody has foreseen is internal and is not repeated', () => {
    expect(failureOf(databaseError('XX000'))).toMatchObject({
      error: { code: 'internal', sqlState: 'XX000' },
      repeat: 'never',
    });
  });

  test.each([
    ['40001', 'always'],
    ['40P01', 'always'],
    ['40003', 'reads'],
    ['57P01', 'reads'],
    ['57P03', 'always'],
    ['08006', 'reads'],
  ])('with SQLSTATE %s is repeated as far as it is known what has run: %s', (state, expected) => {
    expect(failureOf(databaseError(state)).repeat).toBe(expected);
  });

  test('names the constraint that was broken, and only then', () => {
    const message = 'ERROR: duplicate key value violates unique constraint "projects_pkey"';
    expect(failureOf(databaseError('23505', message)).error).toMatchObject({ constraint: 'projects_pkey' });
    expect(failureOf(databaseError('42704', 'ERROR: constraint "x" does not exist')).error).toMatchObject({
      constraint: undefined,
    });
  });

  test('takes its SQLSTATE from the end, where no value of a request can stand', () => {
    const error = databaseError('23505', 'ERROR: the name "; SQLState: TN004" is taken');
    expect(failureOf(error).error).toMatchObject({ sqlState: '23505' });
  });
});

/** Whatever is here has certainly not run: an entry too many, and a write happens twice. */
test('A write is sent again after these failures, and after no others', () => {
  const always = (table: Readonly<Record<string, ErrorRow>>) =>
    Object.keys(table)
      .filter((key) => table[key]?.repeat === 'always')
      .sort();
  expect(always(sqlStates)).toEqual(['40', '53300', '55P03', '57P03']);
  expect(always(dataApiErrors)).toEqual([
    'DatabaseResumingException',
    'SecretsErrorException',
    'ThrottlingException',
    'TooManyRequestsException',
  ]);
  expect(always(networkErrors)).toEqual(['EAI_AGAIN', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ENOTFOUND']);
});

describe('a failure without an answer', () => {
  test.each(Object.entries(networkErrors))('%s', (code, row) => {
    const { error, repeat } = failureOf(Object.assign(new Error('socket'), { code }));
    expect(error.code).toBe('database-unavailable');
    expect(repeat).toBe(row.repeat);
  });

  test.each<[string, object, string, string]>([
    ['HTTP 429', { name: 'Whatever', $metadata: { httpStatusCode: 429 } }, 'database-unavailable', 'always'],
    [
      'a throttling by another name',
      { name: 'RequestThrottled', $metadata: { httpStatusCode: 400 } },
      'database-unavailable',
      'always',
    ],
    [
      'HTTP 502 from something in between',
      { name: 'Error', $metadata: { httpStatusCode: 502 } },
      'database-unavailable',
      'reads',
    ],
    ['HTTP 418', { name: 'Teapot', $metadata: { httpStatusCode: 418 } }, 'internal', 'never'],
    [
      'a connection that did not come about',
      { name: 'TimeoutError', message: 'the request socket did not establish a connection with the server' },
      'database-unavailable',
      'always',
    ],
    ['a request that ran out of time', { name: 'AbortError' }, 'statement-timeout', 'never'],
  ])('%s', (_, facts, code, repeat) => {
    expect(failureOf(Object.assign(new Error('x'), facts))).toMatchObject({ error: { code }, repeat });
  });

  test('an error of the catalogue stays what it is', () => {
    const error = new AppError('internal', 'x');
    expect(failureOf(error)).toEqual({ error, repeat: 'never' });
  });

  test('whatever was thrown becomes an error', () => {
    expect(failureOf('text')).toMatchObject({ error: { code: 'internal' }, repeat: 'never' });
  });
});

test('a limit of the RDS Data API that comes as a bad request is result-too-large', () => {
  const error = new sdk.BadRequestException({
    message: 'Database returned more than the allowed response size limit',
    $metadata: {},
  });
  expect(failureOf(error).error).toMatchObject({ code: 'result-too-large', status: 413 });
});
