import { Duration } from 'aws-cdk-lib';
import { MathExpression, type MathExpressionProps } from 'aws-cdk-lib/aws-cloudwatch';
import { metricDimensions, metricNames, metricsNamespace, planNames } from '../../shared/contract/index.ts';

type MetricName = keyof typeof metricNames;
type Dimension = keyof typeof metricDimensions;

/** Dimensions with which functions publish a metric. Database queries are counted by operation, all else by route. */
const dimensionsOf = (metric: MetricName): readonly Dimension[] =>
  metric === 'databaseQueries' ? ['service', 'plan', 'operation'] : ['service', 'plan', 'route'];

export interface TenantMetricOptions extends Pick<MathExpressionProps, 'label' | 'color'> {
  /** How the series found are made one, or none to show each. */
  readonly combine?: 'SUM' | 'AVG' | 'MAX';
  /** CloudWatch statistic of each series. @default 'Sum' */
  readonly statistic?: string;
  /** Only series with these dimension values. @default all */
  readonly where?: Readonly<Partial<Record<Dimension, string>>>;
}

/** A graph of metrics of ours. The series are searched, since routes and services come and go with the code. */
export function tenantMetric(metric: MetricName, options: TenantMetricOptions = {}): MathExpression {
  const { combine, statistic = 'Sum', where = {}, ...rest } = options;
  const dimensions = dimensionsOf(metric).map((dimension) => metricDimensions[dimension]);
  const filters = Object.entries(where).map(([dimension, value]) => ` ${dimension}="${value}"`);
  const schema = [metricsNamespace, ...dimensions.sort()].join(',');
  const search = `SEARCH('{${schema}} MetricName="${metricNames[metric]}"${filters.join('')}', '${statistic}', 300)`;
  return new MathExpression({
    expression: combine ? `${combine}(${search})` : search,
    usingMetrics: {},
    period: Duration.minutes(5),
    ...rest,
  });
}

/** One line a plan. */
export function tenantMetricByPlan(metric: MetricName, options: Omit<TenantMetricOptions, 'where'>): MathExpression[] {
  return planNames.map((plan) => tenantMetric(metric, { combine: 'SUM', label: plan, ...options, where: { plan } }));
}
