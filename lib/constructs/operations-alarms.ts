import { Duration } from 'aws-cdk-lib';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Alarm, ComparisonOperator, type IMetric, MathExpression, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import { type AddAlarm, watchControlPlane } from './control-plane-alarms.ts';
import { limiterFallbacks } from './limiter-fallbacks.ts';
import type { Observed } from './operations-dashboard.ts';

export interface OperationsAlarmsProps extends Observed {
  readonly config: StageConfig;
  /** Told when an alarm goes off and when it is over. @default nobody */
  readonly topic: ITopic | undefined;
}

const fiveMinutes = Duration.minutes(5);
/** 80 % of what a cluster with a minimum of 0 or 0.5 ACU has; others may have more. */
const connectionsToWorryAbout = 1600;

/** The first alarms: each is about something that clients notice or soon will, and says where to look. */
export class OperationsAlarms extends Construct {
  private readonly topic: ITopic | undefined;

  constructor(scope: Construct, id: string, props: OperationsAlarmsProps) {
    super(scope, id);
    this.topic = props.topic;
    this.watchApi(props);
    this.watchFunctions(props);
    this.watchFleet(props);
    this.watchClusters(props);
    this.watchCache(props);
    watchControlPlane((...alarm) => this.alarm(...alarm), props.config);
  }

  private watchApi({ api: { restApi, authorizerFailures }, config }: OperationsAlarmsProps): void {
    this.alarm('ServerErrors', failureRate(restApi), {
      threshold: 1,
      alarmDescription:
        'More than 1 % of requests fail with 5xx. Look at the errors of functions, then at the database.',
    });
    this.alarm('Latency', restApi.metricLatency({ statistic: 'p99', period: fiveMinutes }), {
      threshold: config.alarms.p99LatencyMs,
      evaluationPeriods: 3,
      alarmDescription: 'One request in a hundred is slow. Look at the durations of functions and at the database.',
    });
    this.alarm('AuthorizerFailures', authorizerFailures, {
      threshold: 1,
      alarmDescription:
        'The authorizer fails, and requests with it. Look at its log, then at the database and the issuers’ keys.',
    });
  }

  private watchFunctions({ functions }: Observed): void {
    for (const [name, service] of Object.entries(functions)) {
      // To Lambda, each token that the authorizer refuses is an error: its failures are counted by the gateway.
      if (name !== 'authorizer') {
        this.alarm(`Errors-${name}`, service.function.metricErrors({ period: fiveMinutes }), {
          threshold: 5,
          alarmDescription: `The function ${name} fails. Look at its log.`,
        });
      }
      this.alarm(`Throttles-${name}`, service.function.metricThrottles({ period: fiveMinutes }), {
        threshold: 1,
        alarmDescription: `The function ${name} is throttled: concurrency is used up. Raise the quota, or find the busy tenant.`,
      });
    }
  }

  /** Nobody waits for what goes on after a deployment. */
  private watchFleet({ fleet }: Observed): void {
    const ends = { Failed: 'DurableExecutionFailed', TimedOut: 'DurableExecutionTimedOut' };
    for (const [how, metric] of Object.entries(ends)) {
      this.alarm(`Fleet${how}`, fleet.function.metric(metric, { statistic: 'Sum', period: fiveMinutes }), {
        threshold: 1,
        alarmDescription:
          'Some placements lack migrations. Look at the log of migrate, mend the cause, then deploy again. docs/migrations.md',
      });
    }
  }

  private watchClusters({ clusters }: Observed): void {
    for (const [name, { cluster }] of Object.entries(clusters)) {
      const watch = { statistic: 'Maximum', period: fiveMinutes };
      const sustained = { evaluationPeriods: 3 };
      this.alarm(`Capacity-${name}`, cluster.metricACUUtilization(watch), {
        ...sustained,
        threshold: 90,
        alarmDescription: `Cluster ${name} has scaled up to its maximum. Raise maxCapacity, or find the busy tenant.`,
      });
      this.alarm(`Processor-${name}`, cluster.metricCPUUtilization(watch), {
        ...sustained,
        threshold: 90,
        alarmDescription: `Cluster ${name} is short of processor time. Look at Database Insights for the load by tenant.`,
      });
      this.alarm(`Connections-${name}`, cluster.metricDatabaseConnections(watch), {
        ...sustained,
        threshold: connectionsToWorryAbout,
        alarmDescription: `Cluster ${name} is running out of connections. Look for transactions that stay open.`,
      });
    }
  }

  private watchCache({ cache, config, functions }: OperationsAlarmsProps): void {
    this.alarm('CacheThrottled', cache.metric('ThrottledCmds', 'Sum', fiveMinutes), {
      threshold: 1,
      alarmDescription:
        'The cache refuses commands: rate limits are less exact meanwhile. Raise cache.maxEcpuPerSecond.',
    });
    this.alarm('LimiterFallbacks', limiterFallbacks(), {
      // A function whose first connection takes long has one now and then.
      threshold: 100,
      alarmDescription: 'Functions count requests without the cache. Look at the cache, then for their warnings.',
    });
    this.alarm('CacheFull', cache.metric('BytesUsedForCache', 'Maximum', fiveMinutes), {
      evaluationPeriods: 3,
      threshold: config.cache.maxDataGigabytes * 1024 ** 3 * 0.8,
      alarmDescription: 'The cache is 80 % full and will soon drop entries. Raise cache.maxDataGigabytes.',
    });
    const dropped = functions['tenant-cache']?.function.metric('AsyncEventsDropped', {
      statistic: 'Sum',
      period: fiveMinutes,
    });
    if (!dropped) return;
    this.alarm('CacheStale', dropped, {
      threshold: 1,
      alarmDescription:
        'A change of a tenant did not reach its cache. Look at the log of tenant-cache, then rename the tenant to its own name.',
    });
  }

  private alarm(...[id, metric, props]: Parameters<AddAlarm>): void {
    const alarm = new Alarm(this, id, {
      metric,
      evaluationPeriods: 1,
      comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
      // Nothing measured means that nobody called.
      treatMissingData: TreatMissingData.NOT_BREACHING,
      ...props,
    });
    if (!this.topic) return;
    alarm.addAlarmAction(new SnsAction(this.topic));
    alarm.addOkAction(new SnsAction(this.topic));
  }
}

/** Percent of requests that fail, once there are enough for a percentage to mean something. */
function failureRate(restApi: RestApi): IMetric {
  return new MathExpression({
    label: 'Failed requests (%)',
    expression: 'IF(requests >= 20, 100 * failures / requests, 0)',
    usingMetrics: {
      requests: restApi.metricCount({ statistic: 'Sum', period: fiveMinutes }),
      failures: restApi.metricServerError({ statistic: 'Sum', period: fiveMinutes }),
    },
    period: fiveMinutes,
  });
}
