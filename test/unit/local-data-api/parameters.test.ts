import { describe, expect, it } from 'vitest';
import { bindParameters } from '../../../local/data-api/parameters.ts';
import { checkRequest, parseBody, requestSchemas, type SqlParameter } from '../../../local/data-api/requests.ts';

const bind = (value: NonNullable<SqlParameter['value']>, typeHint?: SqlParameter['typeHint']): unknown =>
  bindParameters('select :p', [{ name: 'p', value, typeHint }]).values[0];

describe('parameters', () => {
  it.each([
    ['a string as text', { stringValue: '' }, { type: 25, value: '' }],
    ['a long as bigint', { longValue: 9007199254740993n }, { type: 20, value: '9007199254740993' }],
    ['a double', { doubleValue: 0.1 }, { type: 701, value: '0.1' }],
    ['a double that is no number', { doubleValue: 'NaN' as const }, { type: 701, value: 'NaN' }],
    ['a boolean', { booleanValue: false }, { type: 16, value: 'false' }],
    ['bytes', { blobValue: 'AQI=' }, { type: 17, value: Buffer.from([1, 2]) }],
    ['null without a type', { isNull: true }, { type: 0, value: null }],
  ])('bind %s', (_what, value, expected) => {
    expect(bind(value)).toEqual(expected);
  });

  it.each([
    ['DATE', '2026-01-02', 1082],
    ['DECIMAL', '-1.50e3', 1700],
    ['JSON', '{"a":1}', 114],
    ['TIME', '03:04:05.678', 1083],
    ['TIMESTAMP', '2026-01-02 03:04:05', 1114],
    ['UUID', '00000000-0000-7000-8000-000000000000', 2950],
  ] as const)('bind a string with the hint %s as that type', (hint, text, type) => {
    expect(bind({ stringValue: text }, hint)).toEqual({ type, value: text });
  });

  it.each([
    ['DATE', '02.01.2026'],
    ['DECIMAL', 'twelve'],
    ['TIME', '3 pm'],
    ['TIMESTAMP', '2026-01-02T03:04:05Z'],
    ['UUID', 'no-uuid'],
  ] as const)('refuse a string that has not the form of its hint %s', (hint, text) => {
    expect(() => bind({ stringValue: text }, hint)).toThrow(/type hint/);
  });

  it('refuse a hint on what is no string, and ignore it on null', () => {
    expect(() => bind({ longValue: 1 }, 'DECIMAL')).toThrow(/takes a stringValue/);
    expect(bind({ isNull: true }, 'UUID')).toEqual({ type: 0, value: null });
  });

  it('refuse arrays and values of no type', () => {
    expect(() => bind({ arrayValue: { longValues: [1] } })).toThrow('Array parameters are not supported.');
    expect(() => bind({})).toThrow('has value with no field set');
  });

  it('are ignored when the statement does not name them', () => {
    expect(bindParameters('select 1', [{ name: 'unused', value: { longValue: 1 } }]).values).toEqual([]);
  });

  it('that are missing fail as Postgres does when it gets too few', () => {
    expect(() => bindParameters('select :a, :b', [{ name: 'a', value: { longValue: 1 } }])).toThrow(
      'bind message supplies 1 parameters, but prepared statement requires 2; SQLState: 08P01',
    );
  });

  it('have names of letters, digits and underscores', () => {
    expect(() => bindParameters('select 1', [{ name: '$1', value: { longValue: 1 } }])).toThrow(
      'Named parameter syntax is invalid, input: $1',
    );
  });
});

describe('requests', () => {
  const request = { resourceArn: 'arn:aws:rds:x', secretArn: 'arn:aws:secret:x', sql: 'select 1' };
  const check = (json: object): unknown => checkRequest(requestSchemas.ExecuteStatement, json);

  it('keep integers that a JavaScript number would round', () => {
    const json = parseBody('{"longValue": 9223372036854775807, "doubleValue": 1e30, "small": 12}');
    expect(json).toEqual({ longValue: 9223372036854775807n, doubleValue: 1e30, small: 12 });
  });

  it('name every member that is wrong', () => {
    expect(() => check({ ...request, sql: 7, secretArn: 'short' })).toThrow(
      /^2 validation errors detected: .*'secretArn'.*'sql'|^2 validation errors detected: .*'sql'.*'secretArn'/,
    );
  });

  it('may have statements of up to 65,536 characters', () => {
    expect(() => check({ ...request, sql: ' '.repeat(65_536) })).not.toThrow();
    expect(() => check({ ...request, sql: ' '.repeat(65_537) })).toThrow(/'sql'/);
  });

  it('may name the secrets that RDS makes itself, whose ARNs are longer than the API’s description says', () => {
    const prefix = 'arn:aws:secretsmanager:ap-southeast-2:123456789012:secret:rds!cluster-';
    const secretArn = `${prefix}7c1aaba6-3e5b-4b5a-b8de-9e0c2d50d4b4-AbCdEf`;
    expect(secretArn.length).toBeGreaterThan(100);
    expect(() => check({ ...request, secretArn })).not.toThrow();
    expect(() => check({ ...request, secretArn: 'x'.repeat(2_049) })).toThrow(/'secretArn'/);
  });

  it('that are not JSON are bad requests', () => {
    expect(() => parseBody('{')).toThrow(expect.objectContaining({ name: 'BadRequestException' }));
  });
});
