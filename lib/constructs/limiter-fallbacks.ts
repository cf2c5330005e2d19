import { Duration } from 'aws-cdk-lib';
import { type IMetric, Metric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';
import { metricNames, metricsNamespace } from '../../shared/contract/index.ts';

const metricName = metricNames.limiterFallbacks;

/**
 * Counts, in the log of a function, decisions on limits that it made without the cache. The function publishes them itself, by plan and
 * route; an alarm can watch one series alone, and this is the sum of all.
 */
export function countLimiterFallbacks(log: LogGroup): void {
  log.addMetricFilter('LimiterFallbacks', {
    filterPattern: FilterPattern.numberValue(`$.${metricName}`, '>=', 1),
    metricNamespace: metricsNamespace,
    metricName,
    metricValue: `$.${metricName}`,
  });
}

/** Of all functions together. */
export function limiterFallbacks(): IMetric {
  return new Metric({ namespace: metricsNamespace, metricName, statistic: 'Sum', period: Duration.minutes(5) });
}
