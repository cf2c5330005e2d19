import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { metricDimensions, metricNames, metricsNamespace, tenantMetadataKey } from '../contract/index.ts';
import { currentTenantIfAny } from '../tenancy/context.ts';
import type { CacheUse, RequestRecord } from './request-record.ts';

const cacheMetrics = {
  hit: metricNames.cacheHits,
  stale: metricNames.cacheHits,
  miss: metricNames.cacheMisses,
  oversized: metricNames.cacheValuesTooLarge,
  failure: metricNames.cacheFailures,
} as const satisfies Record<CacheUse, string>;

/** Publishes the metrics of one service. Holds nothing between two calls. */
export type PublishRequestMetrics = (record: RequestRecord, status: number) => void;

/**
 * Writes a request's line in CloudWatch's embedded metric format: its metrics, and beside them what a log line would tell.
 *
 * Everything is set and flushed in one synchronous go, since `Metrics` keeps its state in the module: a request that was
 * interrupted in between would leave its tenant to the next one. Dimensions are set one by one, as `addDimensions` would
 * make a second set and thereby double every metric.
 */
export function requestMetricsPublisher(service: string): PublishRequestMetrics {
  const metrics = new Metrics({ namespace: metricsNamespace, serviceName: service });
  return (record, status) => {
    const tenant = currentTenantIfAny();
    const plan = tenant?.plan ?? 'none';
    const describe = () => {
      metrics.addDimension(metricDimensions.plan, plan);
      metrics.addMetadata('requestId', record.requestId);
      if (tenant) metrics.addMetadata(tenantMetadataKey, tenant.tenantId);
    };
    let databaseCalls = 0;
    for (const count of record.databaseQueries.values()) databaseCalls += count;

    describe();
    if (tenant) metrics.addMetadata('userId', tenant.userId);
    if (tenant?.impersonation) {
      metrics.addMetadata('actor', tenant.impersonation.actor);
      metrics.addMetadata('impersonationId', tenant.impersonation.id);
    }
    if (record.operatorId !== undefined) metrics.addMetadata('operatorId', record.operatorId);
    metrics.addMetadata('databaseCalls', String(databaseCalls));
    metrics.addDimension(metricDimensions.route, record.route);
    metrics.addMetadata('status', String(status));
    metrics.addMetric(metricNames.requests, MetricUnit.Count, 1);
    metrics.addMetric(metricNames.requestDuration, MetricUnit.Milliseconds, performance.now() - record.startedAt);
    metrics.addMetric(metricNames.databaseTime, MetricUnit.Milliseconds, record.databaseTimeMs);
    // Always 1: how many tenants are active is the number of distinct tenant ids among these lines.
    if (tenant) metrics.addMetric(metricNames.activeTenants, MetricUnit.Count, 1);
    if (record.isThrottled) metrics.addMetric(metricNames.throttles, MetricUnit.Count, 1);
    for (const [name, count] of cacheCounts(record)) metrics.addMetric(name, MetricUnit.Count, count);
    if (record.limiterFallbacks > 0)
      metrics.addMetric(metricNames.limiterFallbacks, MetricUnit.Count, record.limiterFallbacks);
    metrics.publishStoredMetrics();

    for (const [operation, count] of record.databaseQueries) {
      describe();
      metrics.addDimension(metricDimensions.operation, operation);
      metrics.addMetric(metricNames.databaseQueries, MetricUnit.Count, count);
      metrics.publishStoredMetrics();
    }
  };
}

function cacheCounts({ cacheUses }: RequestRecord): Map<string, number> {
  const counts = new Map<string, number>();
  for (const [use, count] of cacheUses) {
    const name = cacheMetrics[use];
    counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return counts;
}
