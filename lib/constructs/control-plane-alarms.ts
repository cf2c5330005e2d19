import { Duration } from 'aws-cdk-lib';
import { type AlarmProps, type IMetric, Metric, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { metricDimensions, metricNames, metricsNamespace } from '../../shared/contract/index.ts';
import { type StageConfig, sweepMinutes } from '../config.ts';

/** Makes an alarm of a metric that reaches a threshold. */
export type AddAlarm = (
  id: string,
  metric: IMetric,
  props: Pick<AlarmProps, 'threshold' | 'alarmDescription' | 'treatMissingData'> & {
    readonly evaluationPeriods?: number;
  },
) => void;

/** Watches what the control plane has begun and not ended. */
export function watchControlPlane(alarm: AddAlarm, config: StageConfig): void {
  const minutes = sweepMinutes(config);
  const measured = (service: string, name: keyof typeof metricNames, statistic: string) =>
    new Metric({
      namespace: metricsNamespace,
      metricName: metricNames[name],
      dimensionsMap: { [metricDimensions.service]: service },
      statistic,
      period: Duration.minutes(Math.max(5, minutes)),
    });
  // Measured by those who should do something about it: if they do not run, nothing is measured.
  const gauge = { evaluationPeriods: 2, treatMissingData: TreatMissingData.BREACHING };
  alarm('UnpublishedEvents', measured('publish-events', 'unpublishedEventAge', 'Maximum'), {
    ...gauge,
    threshold: 60 * Math.max(10, minutes),
    alarmDescription: 'Events of tenants are not published. Look at the log of publish-events, then at the event bus.',
  });
  alarm('RefusedEvents', measured('publish-events', 'refusedEvents', 'Sum'), {
    threshold: 1,
    alarmDescription: 'An event can never be published, and was passed over. Look at the log of publish-events for it.',
  });
  alarm('UnfinishedOperations', measured('restart-operations', 'unfinishedOperationAge', 'Maximum'), {
    ...gauge,
    threshold: 60 * Math.max(60, 2 * minutes),
    alarmDescription: 'An operation does not end. Look for it with GET /operations, then at the log of operations.',
  });
}
