import { describe, expect, test } from 'vitest';
import { findRoute } from '../../../local/gateway/router.ts';
import { api, method } from './api-definition.ts';

const routes = [
  'GET /',
  'GET /projects',
  'POST /projects',
  'GET /projects/{projectId}',
  'GET /projects/archived',
  'GET /projects/{projectId}/tasks',
  'ANY /files/{path+}',
  'GET /files/readme',
];
const definition = api({ methods: routes.map((route) => method(route)) });

const found = (httpMethod: string, path: string): unknown => {
  const match = findRoute(definition, httpMethod, path);
  if (match === undefined || match === 'bad-path') return match;
  return [`${match.method.httpMethod} ${match.method.resourcePath}`, match.pathParameters];
};

describe('a path finds its route', () => {
  test.each<[string, string, unknown]>([
    ['GET', '/', ['GET /', null]],
    ['POST', '/projects', ['POST /projects', null]],
    ['GET', '/projects/', ['GET /projects', null]],
    ['GET', '/projects/7', ['GET /projects/{projectId}', { projectId: '7' }]],
    ['GET', '/projects/archived', ['GET /projects/archived', null]],
    ['GET', '/projects/a%20b', ['GET /projects/{projectId}', { projectId: 'a b' }]],
    ['GET', '/projects/a%2Fb', ['GET /projects/{projectId}', { projectId: 'a/b' }]],
    ['GET', '/projects/%252e', ['GET /projects/{projectId}', { projectId: '%2e' }]],
    ['GET', '/projects/..', ['GET /projects/{projectId}', { projectId: '..' }]],
    ['DELETE', '/files/a/b%20c', ['ANY /files/{path+}', { path: 'a/b c' }]],
    ['GET', '/files/readme', ['GET /files/readme', null]],
  ])('%s %s', (httpMethod, path, expected) => {
    expect(found(httpMethod, path)).toEqual(expected);
  });
});

describe('a path finds nothing', () => {
  test.each([
    ['PUT', '/projects'],
    ['HEAD', '/projects'],
    ['get', '/projects'],
    ['GET', '/Projects'],
    ['GET', '//projects'],
    ['GET', '/projects//'],
    ['GET', '/projects//tasks'],
    ['GET', '/projects/../projects'],
    ['GET', '/%70rojects'],
    ['GET', '/files'],
    ['GET', '/files/'],
    ['DELETE', '/files/readme'],
  ])('%s %s', (httpMethod, path) => {
    expect(found(httpMethod, path)).toBeUndefined();
  });

  test('when a parameter is not percent-encoded well', () => {
    expect(found('GET', '/projects/%zz')).toBe('bad-path');
    expect(found('GET', '/projects/%ff')).toBe('bad-path');
  });
});
