import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  eventBusName,
  metricNames,
  publishTimeoutSeconds,
  stackOutputs,
  tenantChangeEvents,
} from '../../shared/contract/index.ts';
import { type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let controlPlane: Template;
beforeAll(() => {
  synthesized = synthesize({ clusters: { main: { minCapacity: 1 } } });
  controlPlane = templateOf(synthesized, 'ControlPlane');
});
afterAll(() => synthesized[Symbol.dispose]());

/** Logical id of the function that is made from this folder. */
function functionId(service: string): string {
  const found = controlPlane.findResources('AWS::Lambda::Function', {
    Properties: { Environment: { Variables: { POWERTOOLS_SERVICE_NAME: service } } },
  });
  const [id = ''] = Object.keys(found);
  return id;
}
const variablesOf = (service: string): Record<string, unknown> => {
  const { Properties } = controlPlane.toJSON().Resources[functionId(service)] as Resource;
  return (Properties['Environment'] as { Variables: Record<string, unknown> }).Variables;
};

describe('events', () => {
  it('go to a bus of the stage, which an output names', () => {
    controlPlane.hasResourceProperties('AWS::Events::EventBus', { Name: eventBusName('dev') });
    controlPlane.hasOutput(stackOutputs.eventBusArn, { Value: { 'Fn::GetAtt': [Match.anyValue(), 'Arn'] } });
    expect(JSON.stringify(variablesOf('publish-events')['TENANTRY_EVENT_BUS'])).toContain('EventsBus');
  });

  it('are published by a function that is ended before its claims are', () => {
    controlPlane.hasResourceProperties('AWS::Lambda::Function', {
      Timeout: publishTimeoutSeconds,
      Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'publish-events' } },
    });
  });

  it('are published at once when an operation begins or ends', () => {
    const publisher = { 'Fn::GetAtt': [functionId('publish-events'), 'Arn'] };
    expect(variablesOf('operations')['TENANTRY_PUBLISHER_FUNCTION_ARN']).toEqual(publisher);
    controlPlane.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('^OperationsRole') }],
      PolicyDocument: {
        Statement: Match.arrayWith([
          Match.objectLike({
            Action: 'lambda:InvokeFunction',
            Effect: 'Allow',
            Resource: Match.arrayWith([publisher]),
          }),
        ]),
      },
    });
  });
});

describe('the cache of a tenant', () => {
  const tenantCache = { 'Fn::ImportValue': Match.stringLikeRegexp('TenantCacheFunction') };

  it('is told by the bus when the tenant is another, as often as it takes', () => {
    controlPlane.resourceCountIs('AWS::Events::Rule', 1);
    controlPlane.hasResourceProperties('AWS::Events::Rule', {
      EventBusName: { Ref: Match.stringLikeRegexp('^EventsBus') },
      EventPattern: { source: ['tenantry.control-plane'], 'detail-type': [...tenantChangeEvents] },
      State: 'ENABLED',
      // Tried for a day, which is what EventBridge does by itself.
      Targets: [{ Arn: tenantCache, RetryPolicy: Match.absent() }],
    });
    const configs = templateOf(synthesized, 'Application').findResources('AWS::Lambda::EventInvokeConfig');
    expect(Object.keys(configs)).toEqual([]);
  });

  it('can be changed by no other rule', () => {
    const [rule = ''] = Object.keys(controlPlane.findResources('AWS::Events::Rule'));
    const permissions = controlPlane.findResources('AWS::Lambda::Permission', {
      Properties: { Principal: 'events.amazonaws.com' },
    });
    expect(Object.values(permissions)).toEqual([
      expect.objectContaining({
        Properties: {
          Action: 'lambda:InvokeFunction',
          FunctionName: { 'Fn::ImportValue': expect.stringContaining('TenantCacheFunction') },
          Principal: 'events.amazonaws.com',
          SourceArn: { 'Fn::GetAtt': [rule, 'Arn'] },
        },
      }),
    ]);
  });
});

describe.each(['publish-events', 'restart-operations'])('%s', (service) => {
  it('runs each minute, and a run that fails is not repeated', () => {
    const id = functionId(service);
    const arn = { 'Fn::GetAtt': [id, 'Arn'] };
    controlPlane.hasResourceProperties('AWS::Scheduler::Schedule', {
      ScheduleExpression: 'rate(1 minute)',
      State: 'ENABLED',
      Target: Match.objectLike({ Arn: arn, Input: '{}', RetryPolicy: Match.objectLike({ MaximumRetryAttempts: 0 }) }),
    });
    controlPlane.hasResourceProperties('AWS::Lambda::EventInvokeConfig', {
      FunctionName: { Ref: id },
      MaximumRetryAttempts: 0,
    });
    const statement = { Action: 'lambda:InvokeFunction', Effect: 'Allow', Resource: arn };
    controlPlane.hasResourceProperties('AWS::IAM::Policy', {
      Roles: [{ Ref: Match.stringLikeRegexp('SweepRole') }],
      PolicyDocument: { Statement: [statement] },
    });
  });
});

describe('authorizers that answer late', () => {
  it('are asked once more after longer than they may take', () => {
    const functions = templateOf(synthesized, 'Application').findResources('AWS::Lambda::Function', {
      Properties: { Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'authorizer' } } },
    });
    const [authorizer] = Object.values(functions) as Resource[];
    const seconds = Number(authorizer?.Properties['Timeout']);
    expect(Number(variablesOf('operations')['TENANTRY_LATE_ANSWER_SECONDS'])).toBeGreaterThan(seconds);
  });
});

describe('operations that nobody goes on with', () => {
  it('are started again after longer than their own pauses, in the version that is live', () => {
    const variables = variablesOf('restart-operations');
    expect(Number(variables['TENANTRY_RESTART_AFTER_SECONDS'])).toBeGreaterThan(2 * 60);
    expect(variables['TENANTRY_OPERATIONS_FUNCTION_ARN']).toEqual({
      Ref: expect.stringMatching(/^OperationsLive/),
    });
  });
});

describe('a stage whose database pauses', () => {
  it('is looked at each hour, so that it does pause, unless its configuration says otherwise', () => {
    const ratesOf = (overrides: object): unknown[] => {
      using stage = synthesize({ clusters: { main: { minCapacity: 0 } }, ...overrides });
      const schedules = templateOf(stage, 'ControlPlane').findResources('AWS::Scheduler::Schedule');
      return Object.values(schedules).map((schedule) => (schedule as Resource).Properties['ScheduleExpression']);
    };
    expect(ratesOf({})).toEqual(['rate(1 hour)', 'rate(1 hour)']);
    expect(ratesOf({ sweepMinutes: 5 })).toEqual(['rate(5 minutes)', 'rate(5 minutes)']);
  });
});

describe('alarms', () => {
  it('go off when events stay unpublished for ten minutes, operations unfinished for an hour, or nobody looks', () => {
    const observability = templateOf(synthesized, 'Observability');
    const alarm = (MetricName: string, properties: object) =>
      observability.hasResourceProperties('AWS::CloudWatch::Alarm', { MetricName, ...properties });
    const gauge = { TreatMissingData: 'breaching', Statistic: 'Maximum', EvaluationPeriods: 2, Period: 300 };

    alarm(metricNames.unpublishedEventAge, {
      ...gauge,
      Threshold: 600,
      Dimensions: [{ Name: 'service', Value: 'publish-events' }],
    });
    alarm(metricNames.unfinishedOperationAge, {
      ...gauge,
      Threshold: 3600,
      Dimensions: [{ Name: 'service', Value: 'restart-operations' }],
    });
    alarm(metricNames.refusedEvents, { Statistic: 'Sum', Threshold: 1, TreatMissingData: 'notBreaching' });
  });
});
