import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { metricNames, metricsNamespace } from '../contract/index.ts';

/** Metrics of functions that run by themselves, and their units. They have no dimension but the service. */
const units = {
  unpublishedEventAge: MetricUnit.Seconds,
  refusedEvents: MetricUnit.Count,
  unfinishedOperationAge: MetricUnit.Seconds,
  restartedOperations: MetricUnit.Count,
} as const satisfies Partial<Record<keyof typeof metricNames, string>>;

export type Measurements = Readonly<Partial<Record<keyof typeof units, number>>>;

/** Writes what a run has measured as a line in CloudWatch's embedded metric format. */
export function publishMeasurements(service: string, measured: Measurements): void {
  const metrics = new Metrics({ namespace: metricsNamespace, serviceName: service });
  for (const name of Object.keys(measured) as (keyof Measurements)[]) {
    metrics.addMetric(metricNames[name], units[name], measured[name] ?? 0);
  }
  metrics.publishStoredMetrics();
}
