import middy from '@middy/core';
import type { APIGatewayProxyResult } from 'aws-lambda';
import { expect, test } from 'vitest';
import { type ApiEvent, responseHeaders } from '../../../shared/middleware/index.ts';
import { apiEvent, lambdaContext } from '../../helpers/api-gateway.ts';

const headersFor = async (allowedOrigins: string[], origin?: string) => {
  const stack = middy<ApiEvent, APIGatewayProxyResult>()
    .use(responseHeaders(allowedOrigins))
    .handler(async () => ({ statusCode: 200, body: '', headers: { 'X-Own': 'kept' } }));
  const headers = origin === undefined ? {} : { origin };
  return (await stack(apiEvent({ route: 'GET /projects', headers }), lambdaContext())).headers;
};

test('Without allowed origins a browser of another origin cannot read the answer', async () => {
  expect(await headersFor([], 'https://app.example.com')).toEqual({ 'X-Own': 'kept' });
});

test('An allowed origin is named, another one is not', async () => {
  const allowed = ['https://app.example.com', 'https://admin.example.com'];
  expect(await headersFor(allowed, 'https://admin.example.com')).toEqual({
    'X-Own': 'kept',
    'Access-Control-Allow-Origin': 'https://admin.example.com',
    'Access-Control-Expose-Headers': '*',
    Vary: 'Origin',
  });
  expect(await headersFor(allowed, 'https://evil.example.com')).toEqual({ 'X-Own': 'kept', Vary: 'Origin' });
  expect(await headersFor(allowed)).toEqual({ 'X-Own': 'kept', Vary: 'Origin' });
});

test('A stage may be open to all origins', async () => {
  expect(await headersFor(['*'], 'https://any.example.com')).toMatchObject({ 'Access-Control-Allow-Origin': '*' });
});
