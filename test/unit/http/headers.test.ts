import { expect, test } from 'vitest';
import { headerValue, headerValues } from '../../../shared/http/index.ts';

const event = {
  headers: { 'X-Tenant-ID': 'acme', host: 'b', Missing: undefined },
  multiValueHeaders: { 'x-tenant-id': ['globex', 'acme'], host: ['b', 'a', 'b'], Missing: undefined },
};

test('A header is found whatever the case of its name, in both of the places where API Gateway puts it', () => {
  expect(headerValues(event, 'X-TENANT-ID')).toEqual(['globex', 'acme']);
  expect(headerValues({ headers: { accept: 'a', ACCEPT: 'b' } }, 'Accept')).toEqual(['a', 'b']);
});

test('Of several values the one by itself is what API Gateway says: the last', () => {
  expect(headerValue(event, 'Host')).toBe('b');
  expect(headerValues(event, 'Host')).toEqual(['b', 'a']);
});

test('A header that is not there has no value, nor has what every object has', () => {
  for (const name of ['Missing', 'Absent', '__proto__', 'constructor']) {
    expect(headerValues(event, name)).toEqual([]);
    expect(headerValue(event, name)).toBeUndefined();
  }
});

test('API Gateway sends null where there are no headers', () => {
  expect(headerValues({ headers: null, multiValueHeaders: null }, 'Host')).toEqual([]);
});
