import middy from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult, Context } from 'aws-lambda';
import { tasksApi } from '../../functions/tasks/schema.ts';
import { AppError } from '../../shared/errors/index.ts';
import { tenantApi } from '../../shared/middleware/index.ts';
import { median } from '../bench.ts';
import type { Overhead } from '../overhead.ts';

const rounds = 30;
const requestsPerRound = 500;

const task = {
  id: '0199d5c0-0000-7000-8000-000000000001',
  projectId: '0199d5c0-0000-7000-8000-000000000000',
  title: 'Launch',
  status: 'open',
  assignee: null,
  dueOn: null,
  estimateMinutes: null,
  version: 1,
  createdAt: '2026-01-01T00:00:00.000000+00:00',
  updatedAt: '2026-01-01T00:00:00.000000+00:00',
} as const;
const notCalled = (): never => {
  throw new AppError('internal', 'This benchmark creates tasks only.');
};

const stack = tenantApi(tasksApi, {
  'GET /projects/{projectId}/tasks': notCalled,
  'POST /projects/{projectId}/tasks': ({ body }) => ({ ...task, title: body.title }),
  'GET /projects/{projectId}/tasks/{taskId}': notCalled,
  'PATCH /projects/{projectId}/tasks/{taskId}': notCalled,
  'DELETE /projects/{projectId}/tasks/{taskId}': notCalled,
});

const { body: newTask } = tasksApi.routes['POST /projects/{projectId}/tasks'];
const bare = middy<APIGatewayProxyEvent, APIGatewayProxyResult>().handler((event) => {
  const body = newTask.parse(JSON.parse(Buffer.from(event.body ?? '', 'base64').toString()));
  return Promise.resolve({ statusCode: 201, body: JSON.stringify({ ...task, title: body.title }) });
});

/** What a client sends, and what API Gateway adds. */
const headers = {
  Accept: 'application/json',
  'Accept-Encoding': 'gzip, deflate, br',
  'Accept-Language': 'en-GB,en;q=0.9',
  Authorization: `Bearer ${'x'.repeat(900)}`,
  'Content-Type': 'application/json',
  Host: 'api.example.com',
  Origin: 'https://app.example.com',
  Referer: 'https://app.example.com/',
  'Sec-Fetch-Mode': 'cors',
  'Sec-Fetch-Site': 'same-site',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36',
  'X-Amzn-Trace-Id': 'Root=1-5759e988-bd862e3fe1be46a994272793',
  'X-Forwarded-For': '192.0.2.1',
  'X-Forwarded-Port': '443',
  'X-Forwarded-Proto': 'https',
};

const event = (): APIGatewayProxyEvent =>
  ({
    resource: '/projects/{projectId}/tasks',
    path: `/projects/${task.projectId}/tasks`,
    httpMethod: 'POST',
    headers: { ...headers },
    multiValueHeaders: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])),
    queryStringParameters: null,
    multiValueQueryStringParameters: null,
    pathParameters: { projectId: task.projectId },
    stageVariables: null,
    isBase64Encoded: true,
    body: Buffer.from(JSON.stringify({ title: 'Launch', assignee: 'ann' })).toString('base64'),
    requestContext: {
      requestId: 'request',
      extendedRequestId: 'extended',
      domainName: 'api.example.com',
      authorizer: {
        // A tenant a request, so that none runs into its limit.
        tenantId: `tenant-${(tenant += 1)}`,
        plan: 'enterprise',
        placement: JSON.stringify({ model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' }),
        userId: 'user',
        roles: 'member',
        capability: 'v1.k1.tenant.4102444800.mac',
      },
    },
  }) as unknown as APIGatewayProxyEvent;
let tenant = 0;

const context = {
  awsRequestId: 'invocation',
  functionName: 'bench',
  getRemainingTimeInMillis: () => 28_000,
} as Context;

/** Microseconds of CPU a request in one round. */
async function round(
  handler: (event: APIGatewayProxyEvent, context: Context) => Promise<APIGatewayProxyResult>,
): Promise<number> {
  const before = process.cpuUsage();
  for (let request = 0; request < requestsPerRound; request += 1) {
    const { statusCode, body } = await handler(event(), context);
    if (statusCode !== 201) throw new Error(`answered ${statusCode}: ${body}`);
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / requestsPerRound;
}

const times = { bare: [] as number[], stack: [] as number[] };
for (let turn = 0; turn < rounds; turn += 1) {
  const turns = { bare: await round(bare), stack: await round(stack) };
  // The first rounds compile.
  if (turn >= 5) {
    times.bare.push(turns.bare);
    times.stack.push(turns.stack);
  }
}
const overhead: Overhead = { bare: median(times.bare), stack: median(times.stack) };
process.send?.(overhead, () => process.exit(0));
