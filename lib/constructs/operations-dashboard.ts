import { Duration } from 'aws-cdk-lib';
import {
  Dashboard,
  GraphWidget,
  type IMetric,
  type IWidget,
  LogQueryWidget,
  TextWidget,
} from 'aws-cdk-lib/aws-cloudwatch';
import type { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { metricNames, tenantMetadataKey } from '../../shared/contract/index.ts';
import type { AuroraCluster } from './aurora-cluster.ts';
import type { ServiceApi } from './service-api.ts';
import type { ServiceFunction } from './service-function.ts';
import { tenantMetric, tenantMetricByPlan } from './tenant-metrics.ts';
import type { ValkeyCache } from './valkey-cache.ts';

export interface Observed {
  readonly stage: string;
  readonly api: ServiceApi;
  readonly functions: Readonly<Record<string, ServiceFunction>>;
  /** Goes on with migrations after a deployment. */
  readonly fleet: ServiceFunction;
  /** Log groups of the functions that publish metrics. */
  readonly metricLogs: readonly LogGroup[];
  readonly clusters: Readonly<Record<string, AuroraCluster>>;
  readonly cache: ValkeyCache;
}

/** One page from the client down to the database, in the order in which one looks when something is wrong. */
export class OperationsDashboard extends Construct {
  constructor(scope: Construct, id: string, observed: Observed) {
    super(scope, id);
    new Dashboard(this, 'Dashboard', {
      dashboardName: `tenantry-${observed.stage}`,
      defaultInterval: Duration.hours(3),
      widgets: [
        [heading('Clients')],
        apiWidgets(observed.api),
        [heading('Tenants')],
        tenantWidgets(),
        busiestTenantWidgets(observed.metricLogs),
        [heading('Functions')],
        functionWidgets(Object.entries(observed.functions)),
        [heading('Database')],
        ...Object.entries(observed.clusters).map(([name, cluster]) => clusterWidgets(name, cluster)),
        [heading('Cache')],
        cacheWidgets(observed.cache),
      ],
    });
  }
}

const heading = (text: string): IWidget => new TextWidget({ markdown: `## ${text}`, width: 24, height: 1 });

const graph = (title: string, left: readonly IMetric[], width = 8): IWidget =>
  new GraphWidget({ title, left: [...left], width, height: 6 });

function apiWidgets({ restApi, authorizerFailures }: ServiceApi): IWidget[] {
  const latency = (statistic: string) => restApi.metricLatency({ statistic, label: statistic });
  return [
    graph('Requests', [restApi.metricCount({ statistic: 'Sum' })], 6),
    graph(
      'Refused and failed',
      [restApi.metricClientError({ statistic: 'Sum' }), restApi.metricServerError({ statistic: 'Sum' })],
      6,
    ),
    graph('Authorizer failures', [authorizerFailures], 6),
    graph('Latency at the gateway (ms)', [latency('p50'), latency('p90'), latency('p99')], 6),
  ];
}

function tenantWidgets(): IWidget[] {
  return [
    graph('Requests by plan', tenantMetricByPlan('requests', {}), 6),
    graph(
      'Request duration by plan, p99 (ms)',
      tenantMetricByPlan('requestDuration', { statistic: 'p99', combine: 'MAX' }),
      6,
    ),
    graph('Refused by limits', tenantMetricByPlan('throttles', {}), 6),
    graph('Database queries', [tenantMetric('databaseQueries', { label: '' })], 6),
  ];
}

/** Who they are is in the log lines behind the metrics: as a dimension, each tenant would be a metric to pay for. */
function busiestTenantWidgets(logs: readonly LogGroup[]): IWidget[] {
  const logGroupNames = logs.map((log) => log.logGroupName);
  const query = (title: string, queryLines: string[]): IWidget =>
    new LogQueryWidget({ title, logGroupNames, queryLines, width: 8, height: 6 });
  const ranked = (field: string) => [
    `filter ispresent(${tenantMetadataKey}) and ispresent(${field})`,
    `stats sum(${field}) as total by ${tenantMetadataKey}`,
    'sort total desc',
    'limit 20',
  ];
  return [
    query('Busiest tenants: requests', ranked(metricNames.requests)),
    query('Busiest tenants: database time (ms)', ranked(metricNames.databaseTime)),
    query('Active tenants', [
      `filter ispresent(${metricNames.activeTenants})`,
      `stats count_distinct(${tenantMetadataKey}) as tenants by bin(5m)`,
    ]),
  ];
}

function functionWidgets(functions: [string, ServiceFunction][]): IWidget[] {
  return [
    graph(
      'Errors',
      functions.map(([label, service]) => service.function.metricErrors({ label })),
      6,
    ),
    graph(
      'Throttles',
      functions.map(([label, service]) => service.function.metricThrottles({ label })),
      6,
    ),
    graph(
      'Duration, p99 (ms)',
      functions.map(([label, service]) => service.function.metricDuration({ label, statistic: 'p99' })),
      6,
    ),
    graph(
      'Running at once',
      functions.map(([label, service]) => concurrency(label, service)),
      6,
    ),
  ];
}

const concurrency = (label: string, service: ServiceFunction): IMetric =>
  service.function.metric('ConcurrentExecutions', { label, statistic: 'Maximum' });

function clusterWidgets(name: string, { cluster }: AuroraCluster): IWidget[] {
  return [
    graph(`${name}: capacity (ACU)`, [cluster.metricServerlessDatabaseCapacity({ statistic: 'Maximum' })], 6),
    graph(`${name}: capacity used (%)`, [cluster.metricACUUtilization({ statistic: 'Maximum' })], 6),
    graph(`${name}: processor (%)`, [cluster.metricCPUUtilization({ statistic: 'Maximum' })], 6),
    graph(`${name}: connections`, [cluster.metricDatabaseConnections({ statistic: 'Maximum' })], 6),
  ];
}

function cacheWidgets(cache: ValkeyCache): IWidget[] {
  return [
    graph(
      'Answers from the tenants’ cache',
      [
        tenantMetric('cacheHits', { combine: 'SUM', label: 'hits' }),
        tenantMetric('cacheMisses', { combine: 'SUM', label: 'misses' }),
      ],
      6,
    ),
    graph(
      'Cache not reached, values too large',
      [
        tenantMetric('cacheFailures', { combine: 'SUM', label: 'not reached' }),
        tenantMetric('cacheValuesTooLarge', { combine: 'SUM', label: 'too large' }),
      ],
      6,
    ),
    graph('Hits and misses', [cache.metric('CacheHits'), cache.metric('CacheMisses')], 6),
    graph('Processing units', [cache.metric('ElastiCacheProcessingUnits')], 6),
    graph('Bytes stored', [cache.metric('BytesUsedForCache', 'Maximum')], 6),
    graph('Throttled commands', [cache.metric('ThrottledCmds')], 6),
    graph('Limits decided without the cache, by route', [tenantMetric('limiterFallbacks', { label: '' })], 6),
  ];
}
