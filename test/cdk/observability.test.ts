import { readFileSync } from 'node:fs';
import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metricDimensions, metricNames, metricsNamespace, services } from '../../shared/contract/index.ts';
import { synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let observability: Template;
beforeAll(() => {
  synthesized = synthesize({
    clusters: { main: {}, second: {} },
    alarms: { email: 'ops@example.com', p99LatencyMs: 750 },
  });
  observability = templateOf(synthesized, 'Observability');
});
afterAll(() => synthesized[Symbol.dispose]());

/** Text of all dashboards and alarms, with the quoting of nested JSON taken off. */
const everything = () => JSON.stringify(observability.toJSON()).replaceAll('\\', '');

describe('dashboard and alarms', () => {
  it('name only metrics and dimensions that functions publish', () => {
    const searches = [...everything().matchAll(/SEARCH\('\{(\w+),([\w,]+)\} MetricName="(\w+)"/g)];
    const direct = [...everything().matchAll(new RegExp(`\\["${metricsNamespace}","(\\w+)"`, 'g'))].map(
      (match) => match[1],
    );
    const alarmed = Object.values(
      observability.findResources('AWS::CloudWatch::Alarm', { Properties: { Namespace: metricsNamespace } }),
    );

    expect(searches.length).toBeGreaterThan(5);
    for (const [, namespace, dimensions = '', name] of searches) {
      expect(namespace).toBe(metricsNamespace);
      expect(Object.values(metricNames)).toContain(name);
      for (const dimension of dimensions.split(',')) expect(Object.values(metricDimensions)).toContain(dimension);
    }
    expect(direct.length + alarmed.length).toBeGreaterThan(1);
    for (const name of direct) expect(Object.values(metricNames)).toContain(name);
    for (const { Properties } of alarmed) expect(Object.values(metricNames)).toContain(Properties.MetricName);
  });

  it('show the metrics of the guide', () => {
    for (const name of ['requests', 'requestDuration', 'databaseQueries', 'activeTenants'] as const) {
      expect(everything()).toContain(metricNames[name]);
    }
  });

  it('watch every cluster', () => {
    for (const metric of ['ACUUtilization', 'CPUUtilization', 'DatabaseConnections']) {
      const alarms = observability.findResources('AWS::CloudWatch::Alarm', { Properties: { MetricName: metric } });
      expect(Object.keys(alarms), metric).toHaveLength(2);
    }
  });

  it('watch failures, latency, functions and cache', () => {
    const alarm = (properties: object) => observability.hasResourceProperties('AWS::CloudWatch::Alarm', properties);

    alarm({
      Metrics: Match.arrayWith([Match.objectLike({ Expression: Match.stringLikeRegexp('failures / requests') })]),
    });
    alarm({ MetricName: 'Latency', ExtendedStatistic: 'p99', Threshold: 750 });
    alarm({ MetricName: metricNames.authorizerFailures, Namespace: metricsNamespace });
    alarm({ MetricName: 'Errors', Namespace: 'AWS/Lambda' });
    alarm({ MetricName: 'Throttles', Namespace: 'AWS/Lambda' });
    alarm({ MetricName: 'ThrottledCmds', Namespace: 'AWS/ElastiCache' });
    alarm({
      MetricName: 'AsyncEventsDropped',
      Dimensions: [{ Name: 'FunctionName', Value: { 'Fn::ImportValue': Match.stringLikeRegexp('TenantCache') } }],
    });
  });

  it('count failures of the authorizer from the access log, which has the field that they look for', () => {
    const application = templateOf(synthesized, 'Application');

    application.hasResourceProperties('AWS::Logs::MetricFilter', {
      FilterPattern: Match.stringLikeRegexp('\\$\\.errorType = "AUTHORIZER_FAILURE"'),
      MetricTransformations: [
        { MetricName: metricNames.authorizerFailures, MetricNamespace: metricsNamespace, MetricValue: '1' },
      ],
    });
    application.hasResourceProperties('AWS::ApiGateway::Stage', {
      AccessLogSetting: { Format: Match.stringLikeRegexp('"errorType":"\\$context.error.responseType"') },
    });
  });

  it('count what functions decided without the cache, from their own metric, and watch the sum', () => {
    const counted = templateOf(synthesized, 'Application').findResources('AWS::Logs::MetricFilter', {
      Properties: {
        FilterPattern: `{ $.${metricNames.limiterFallbacks} >= 1 }`,
        MetricTransformations: [
          {
            MetricName: metricNames.limiterFallbacks,
            MetricNamespace: metricsNamespace,
            MetricValue: `$.${metricNames.limiterFallbacks}`,
          },
        ],
      },
    });
    expect(Object.keys(counted)).toHaveLength(Object.keys(services).length);
    observability.hasResourceProperties('AWS::CloudWatch::Alarm', {
      MetricName: metricNames.limiterFallbacks,
      Namespace: metricsNamespace,
      Dimensions: Match.absent(),
    });
    expect(everything()).toContain(`MetricName="${metricNames.limiterFallbacks}"`);
  });

  it('are in the runbook, each by its name', () => {
    const headings = [...readFileSync('docs/runbook.md', 'utf8').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
    const alarms = Object.keys(observability.findResources('AWS::CloudWatch::Alarm'));
    const unexplained = alarms.filter((id) => !headings.some((name) => id.startsWith(`Alarms${name}`)));
    expect(unexplained).toEqual([]);
    expect(headings.filter((name) => !alarms.some((id) => id.startsWith(`Alarms${name}`)))).toEqual([]);
  });

  it('tell someone, and say what to do', () => {
    observability.allResourcesProperties('AWS::CloudWatch::Alarm', {
      AlarmActions: [Match.anyValue()],
      OKActions: [Match.anyValue()],
      AlarmDescription: Match.stringLikeRegexp('(Look|Raise)'),
    });
    observability.hasResourceProperties('AWS::SNS::Subscription', { Protocol: 'email', Endpoint: 'ops@example.com' });
  });
});
