import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { readSchedules } from '../../../local/schedules/definition.ts';
import { Schedules } from '../../../local/schedules/schedules.ts';
import { deploymentOf } from '../../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../../local/template/stack.ts';

const functionArn = 'arn:aws:lambda:eu-central-1:111122223333:function:sweep';
const deploymentWith = (Resources: object) =>
  deploymentOf([
    stackFromTemplate(templateSchema.parse({ Resources }), {
      name: 'App',
      account: '111122223333',
      region: 'eu-central-1',
      assets: new Map(),
    }),
  ]);
const schedule = (properties: object = {}): object => ({
  Every: {
    Type: 'AWS::Scheduler::Schedule',
    Properties: {
      FlexibleTimeWindow: { Mode: 'OFF' },
      ScheduleExpression: 'rate(5 minutes)',
      Target: { Arn: functionArn, RoleArn: { 'Fn::GetAtt': ['Role', 'Arn'] }, Input: '{"a":1}' },
      ...properties,
    },
  },
  Role: { Type: 'AWS::IAM::Role' },
});

describe('a schedule is read', () => {
  test('as function, rate and event', () => {
    expect(readSchedules(deploymentWith(schedule()))).toEqual([{ functionArn, everyMs: 300_000, event: { a: 1 } }]);
  });

  test('unless it is disabled', () => {
    expect(readSchedules(deploymentWith(schedule({ State: 'DISABLED' })))).toEqual([]);
  });

  test.each([
    ['a calendar', schedule({ ScheduleExpression: 'cron(0 12 * * ? *)' }), /cron\(0 12 \* \* \? \*\) is no rate/],
    ['a window', schedule({ FlexibleTimeWindow: { Mode: 'FLEXIBLE' } }), /App\/Every/],
    [
      'a queue',
      schedule({ Target: { Arn: 'arn:aws:sqs:eu-central-1:111122223333:q', RoleArn: '' } }),
      /functions only/,
    ],
    [
      'a rule that says the same',
      { Rule: { Type: 'AWS::Events::Rule', Properties: { ScheduleExpression: 'rate(1 minute)' } } },
      /use AWS::Scheduler::Schedule/,
    ],
  ])('and stops the start if it is %s', (_, resources, message) => {
    expect(() => readSchedules(deploymentWith(resources))).toThrow(message);
  });
});

describe('a scheduled function', () => {
  let schedules: Schedules | undefined;
  afterEach(() => schedules?.stop());

  test('is invoked at once and at its rate, never twice at the same time, and no more after the stop', async () => {
    let runs = 0;
    let running = 0;
    let most = 0;
    schedules = new Schedules([{ functionArn, everyMs: 20, event: {} }], async () => {
      runs += 1;
      running += 1;
      most = Math.max(most, running);
      await sleep(50);
      running -= 1;
    });
    expect(runs).toBe(1);
    while (runs < 3) await sleep(10);
    await schedules.stop();
    const before = runs;
    await sleep(100);
    expect({ most, after: runs }).toEqual({ most: 1, after: before });
  });
});
