import { describe, expect, test } from 'vitest';
import { readRules, targetsOf } from '../../../local/event-bridge/rules.ts';
import { deploymentOf } from '../../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../../local/template/stack.ts';

const functionArn = 'arn:aws:lambda:eu-central-1:111122223333:function:hear';
const pattern = { source: ['shop', 'till'], 'detail-type': ['sold', 'returned'] };
const rulesWith = (...rules: readonly object[]) =>
  readRules(
    deploymentOf([
      stackFromTemplate(
        templateSchema.parse({
          Resources: {
            Bus: { Type: 'AWS::Events::EventBus', Properties: { Name: 'mine' } },
            ...Object.fromEntries(rules.map((rule, n) => [`Rule${n}`, rule])),
          },
        }),
        { name: 'App', account: '111122223333', region: 'eu-central-1', assets: new Map() },
      ),
    ]),
  );
const rule = (properties: object = {}): object => ({
  Type: 'AWS::Events::Rule',
  Properties: {
    EventBusName: { Ref: 'Bus' },
    EventPattern: pattern,
    State: 'ENABLED',
    Targets: [{ Arn: functionArn, Id: 'Target0' }],
    ...properties,
  },
});
const taken = (eventBusName: string, source: string, type: string) => ({
  eventBusName,
  event: { source, 'detail-type': type, detail: {} },
});

describe('a rule', () => {
  test('delivers events of its bus, its sources and its types', () => {
    const rules = rulesWith(rule());
    const gets = (...event: Parameters<typeof taken>): boolean => targetsOf(taken(...event), rules).length > 0;
    expect(targetsOf(taken('mine', 'till', 'sold'), rules)).toEqual([functionArn]);
    expect(gets('arn:aws:events:eu-central-1:111122223333:event-bus/mine', 'shop', 'returned')).toBe(true);
    expect(gets('default', 'shop', 'sold')).toBe(false);
    expect(gets('mine', 'sho', 'sold')).toBe(false);
    expect(gets('mine', 'shop', 'Sold')).toBe(false);
  });

  test('may leave out the source or the type, and be one of several', () => {
    const rules = rulesWith(
      rule({ EventBusName: undefined, EventPattern: { source: ['shop'] } }),
      rule({ EventBusName: 'default', EventPattern: { 'detail-type': ['sold'] } }),
      rule({ State: 'DISABLED' }),
      rule({ Targets: undefined }),
    );
    expect(targetsOf(taken('default', 'shop', 'sold'), rules)).toEqual([functionArn, functionArn]);
    expect(targetsOf(taken('default', 'shop', 'lost'), rules)).toEqual([functionArn]);
    expect(targetsOf(taken('mine', 'shop', 'sold'), rules)).toEqual([]);
  });

  test.each([
    ['a pattern of the detail', { EventPattern: { ...pattern, detail: { plan: ['pro'] } } }],
    ['a prefix', { EventPattern: { source: [{ prefix: 'sh' }] } }],
    ['alternatives', { EventPattern: { $or: [pattern] } }],
    ['an empty list', { EventPattern: { source: [] } }],
    ['an empty pattern', { EventPattern: {} }],
    ['no pattern', { EventPattern: undefined }],
    ['a schedule', { EventPattern: undefined, ScheduleExpression: 'rate(1 minute)' }],
    ['a queue', { Targets: [{ Arn: 'arn:aws:sqs:eu-central-1:111122223333:q', Id: 'Target0' }] }],
    ['an input of its own', { Targets: [{ Arn: functionArn, Id: 'Target0', Input: '{}' }] }],
    ['a dead-letter queue', { Targets: [{ Arn: functionArn, Id: 'Target0', DeadLetterConfig: { Arn: 'a' } }] }],
  ])('stops the start if it has %s', (_, properties) => {
    expect(() => rulesWith(rule(properties))).toThrow(/App\/Rule0.* uses what the local stack does not know/);
  });
});
