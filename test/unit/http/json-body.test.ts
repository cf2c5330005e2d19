import fc from 'fast-check';
import { expect, test } from 'vitest';
import { AppError } from '../../../shared/errors/index.ts';
import { readJsonBody } from '../../../shared/http/index.ts';
import { apiEvent } from '../../helpers/api-gateway.ts';

const route = 'POST /projects';
const codeOf = (body: string, { headers = {}, isBase64Encoded = false, maxBytes = 1000 } = {}): string => {
  try {
    readJsonBody(apiEvent({ route, body, headers, isBase64Encoded }), maxBytes);
    return 'read';
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return error.code;
  }
};
const base64 = (bytes: string | Uint8Array) => Buffer.from(bytes).toString('base64');
const withType = (type: string) => ({ headers: { 'Content-Type': type } });

test('Any JSON value arrives as it was sent, as text and in base64', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
      const body = JSON.stringify(value);
      const expected: unknown = JSON.parse(body);
      expect(readJsonBody(apiEvent({ route, body }), 1_000_000)).toEqual(expected);
      expect(readJsonBody(apiEvent({ route, body: base64(body), isBase64Encoded: true }), 1_000_000)).toEqual(expected);
    }),
    { seed: 1 },
  );
});

test.each(['', '  ', '{', "{'a':1}", '{"a":1}}', '\uFEFF{}', 'undefined', '{"a":NaN}', '[1,]'])(
  '%j is not JSON',
  (body) => {
    expect(codeOf(body)).toBe('body-not-json');
  },
);

test.each([
  ['bytes that are no UTF-8', base64(Uint8Array.of(0x22, 0xff, 0x22))],
  ['an overlong encoding', base64(Uint8Array.of(0x22, 0xc0, 0xaf, 0x22))],
  ['text that is no base64', '{"a":1}'],
  ['base64 with a hole', 'eyJh IjoxfQ=='],
])('%s are not JSON', (_, body) => {
  expect(codeOf(body, { isBase64Encoded: true })).toBe('body-not-json');
});

test('The size is counted in bytes, to the byte', () => {
  const body = JSON.stringify('é'.repeat(49)); // 100 bytes
  expect(codeOf(body, { maxBytes: 100 })).toBe('read');
  expect(codeOf(body, { maxBytes: 99 })).toBe('body-too-large');
  expect(codeOf(base64(body), { maxBytes: 100, isBase64Encoded: true })).toBe('read');
  expect(codeOf(base64(body), { maxBytes: 99, isBase64Encoded: true })).toBe('body-too-large');
});

test.each([
  'application/json',
  'application/json; charset=utf-8',
  'Application/JSON;charset="UTF-8"',
  'application/json;',
])('The content type %s is accepted', (type) => {
  expect(codeOf('{}', withType(type))).toBe('read');
});

test.each([
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'application/json; charset=latin1',
  'application/jsonp',
])('The content type %j is refused', (type) => {
  expect(codeOf('{}', withType(type))).toBe('unsupported-media-type');
});

test('A content type that is crafted to make reading slow is refused in linear time', () => {
  // Half a million blanks: minutes of work for anything quadratic.
  const blanks = ' '.repeat(500_000);
  for (const type of [`application/json${blanks}x`, `application/json;${blanks}charset${blanks}=${blanks}x`]) {
    expect(codeOf('{}', withType(type))).toBe('unsupported-media-type');
  }
});

test('A request without a content type is refused', () => {
  const event = apiEvent({ route, body: '{}' });
  event.headers = event.multiValueHeaders = {};
  expect(() => readJsonBody(event, 1000)).toThrow('The request has no content type');
});

test('Nesting is bounded, and brackets inside strings do not count', () => {
  const nested = (levels: number) => '['.repeat(levels) + ']'.repeat(levels);
  expect(codeOf(nested(32))).toBe('read');
  expect(codeOf(nested(33))).toBe('validation-failed');
  expect(codeOf(JSON.stringify({ a: '[{'.repeat(100), b: '"[[\\"'.repeat(40) }))).toBe('read');
  expect(codeOf('{"a":'.repeat(100_000), { maxBytes: 1_000_000 })).toBe('validation-failed');
});

test('Text that is crafted to make reading slow is refused in linear time', () => {
  // Half a million quotes, each escaped and none closed: seconds of work for anything quadratic.
  const body = `"${'\\"'.repeat(250_000)}`;
  expect(codeOf(body, { maxBytes: 1_000_000 })).toBe('body-not-json');
});
