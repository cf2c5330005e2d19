import { expect, test } from 'vitest';
import { metricNames, metricsNamespace } from '../../../shared/contract/index.ts';
import {
  currentRequestRecord,
  recordCacheUse,
  recordDatabaseQuery,
  requestMetricsPublisher,
  runWithRequestRecord,
} from '../../../shared/metrics/index.ts';
import { runWithTenant } from '../../../shared/tenancy/index.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const tenant = (tenantId: string) => ({
  tenantId,
  plan: 'pro' as const,
  placement,
  userId: 'u',
  roles: [],
  capability: 'secret',
});
const directive = (line: Record<string, unknown> | undefined) =>
  (
    line?.['_aws'] as {
      CloudWatchMetrics: [{ Namespace: string; Dimensions: string[][]; Metrics: { Name: string }[] }];
    }
  ).CloudWatchMetrics[0];

function request(publish: ReturnType<typeof requestMetricsPublisher>, tenantId: string, operations: string[]): void {
  runWithRequestRecord(`request-of-${tenantId}`, () =>
    runWithTenant(tenant(tenantId), () => {
      const record = currentRequestRecord();
      if (!record) throw new Error('There is no record.');
      record.route = 'GET /projects';
      for (const operation of operations) recordDatabaseQuery({ operation: operation as 'select', durationMs: 2 });
      publish(record, 200);
    }),
  );
}

test('A request makes one line of its own metrics, with one set of bounded dimensions', () => {
  const lines = captureJsonLines();
  request(requestMetricsPublisher('projects'), 'acme', []);
  expect(lines).toHaveLength(1);
  const { Namespace, Dimensions, Metrics } = directive(lines[0]);
  expect(Namespace).toBe(metricsNamespace);
  expect(Dimensions.map((set) => set.toSorted())).toEqual([['plan', 'route', 'service']]);
  expect(Metrics.map(({ Name }) => Name)).toEqual([
    metricNames.requests,
    metricNames.requestDuration,
    metricNames.databaseTime,
    metricNames.activeTenants,
  ]);
  expect(lines[0]).toMatchObject({ service: 'projects', plan: 'pro', route: 'GET /projects', status: '200' });
});

test('The tenant is metadata of each line, and no dimension', () => {
  const lines = captureJsonLines();
  request(requestMetricsPublisher('projects'), 'acme', ['select']);
  for (const line of lines) {
    expect(line).toMatchObject({ tenantId: 'acme', requestId: 'request-of-acme' });
    expect(directive(line).Dimensions.flat()).not.toContain('tenantId');
  }
  expect(JSON.stringify(lines)).not.toContain('secret');
});

test('Database calls are counted by operation, their time in sum', () => {
  const lines = captureJsonLines();
  request(requestMetricsPublisher('projects'), 'acme', ['select', 'select', 'insert']);
  expect(lines[0]).toMatchObject({ [metricNames.databaseTime]: 6 });
  const byOperation = lines.slice(1).map((line) => [line['operation'], line[metricNames.databaseQueries]]);
  expect(byOperation).toEqual([
    ['select', 2],
    ['insert', 1],
  ]);
  expect(directive(lines[1]).Dimensions.map((set) => set.toSorted())).toEqual([['operation', 'plan', 'service']]);
});

test('Uses of the cache are counted in the line of the request, and only those that took place', () => {
  const lines = captureJsonLines();
  const publish = requestMetricsPublisher('projects');
  runWithRequestRecord('r-1', () => {
    for (const use of ['hit', 'stale', 'hit', 'failure'] as const) recordCacheUse(use);
    const record = currentRequestRecord();
    if (record) publish(record, 200);
  });
  request(publish, 'acme', []);
  expect(lines).toHaveLength(2);
  expect(lines[0]).toMatchObject({ [metricNames.cacheHits]: 3, [metricNames.cacheFailures]: 1 });
  expect(lines[0]).not.toHaveProperty(metricNames.cacheMisses);
  expect(lines[1]).not.toHaveProperty(metricNames.cacheHits);
});

test('Nothing of a request is left for the next', () => {
  const lines = captureJsonLines();
  const publish = requestMetricsPublisher('projects');
  request(publish, 'acme', ['select']);
  runWithRequestRecord('request-2', () => publish(currentRequestRecord() as never, 401));
  expect(lines.at(-1)).toMatchObject({ plan: 'none', route: 'unknown', status: '401' });
  expect(lines.at(-1)).not.toHaveProperty('tenantId');
  expect(lines.at(-1)).not.toHaveProperty('operation');
  expect(lines.at(-1)).not.toHaveProperty(metricNames.activeTenants);
});

test('A database call outside of a request is not an error', () => {
  expect(() => recordDatabaseQuery({ operation: 'select', durationMs: 1 })).not.toThrow();
});
