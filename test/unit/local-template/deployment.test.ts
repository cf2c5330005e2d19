import * as z from 'zod';
import { describe, expect, test } from 'vitest';
import { deploymentOf, readAll } from '../../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../../local/template/stack.ts';

const deploymentWith = (Resources: object, more: object = {}) =>
  deploymentOf([
    stackFromTemplate(templateSchema.parse({ Resources, ...more }), {
      name: 'App',
      account: '111122223333',
      region: 'eu-central-1',
      assets: new Map(),
    }),
  ]);

const shape = {
  type: 'AWS::ApiGateway::RestApi',
  schema: z.strictObject({ Name: z.string() }),
  ignored: ['Description'],
};
const api = (Properties: object): object => ({ Api: { Type: shape.type, Properties } });

describe('a resource is read', () => {
  test('with its properties resolved and those without effect left out', () => {
    const [read] = readAll(deploymentWith(api({ Name: { Ref: 'AWS::StackName' }, Description: 'x' })), shape);
    expect(read?.properties).toEqual({ Name: 'App' });
  });

  test('unless a property is unknown: the message names resource and property', () => {
    const deployment = deploymentWith(api({ Name: 'x', MinimumCompressionSize: 1 }));
    expect(() => readAll(deployment, shape)).toThrow(/App\/Api \(AWS::ApiGateway::RestApi\)[^]*MinimumCompressionSize/);
  });

  test('unless its condition does not hold', () => {
    const deployment = deploymentWith(
      { Api: { Type: shape.type, Properties: { Name: 'x' }, Condition: 'Never' } },
      { Conditions: { Never: { 'Fn::Equals': ['a', 'b'] } } },
    );
    expect(readAll(deployment, shape)).toEqual([]);
  });
});

test('a resource of an unknown type stops the start, by name', () => {
  const stray = { Queue: { Type: 'AWS::SQS::Queue' }, Source: { Type: 'AWS::Lambda::EventSourceMapping' } };
  expect(() => deploymentWith(stray)).toThrow(/App\/Queue \(AWS::SQS::Queue\)[^]*App\/Source/);
});

test('types that are AWS’s own concern are passed over', () => {
  const quiet = {
    Role: { Type: 'AWS::IAM::Role' },
    Vpc: { Type: 'AWS::EC2::VPC' },
    Alarm: { Type: 'AWS::CloudWatch::Alarm' },
  };
  expect(() => deploymentWith(quiet)).not.toThrow();
});
