import { describe, expect, test } from 'vitest';
import { readApis } from '../../../local/gateway/definition.ts';
import { deploymentOf } from '../../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../../local/template/stack.ts';

const method = (properties: object, integration: object = {}): object => ({
  Method: {
    Type: 'AWS::ApiGateway::Method',
    Properties: {
      HttpMethod: 'GET',
      ResourceId: 'root',
      RestApiId: { Ref: 'Api' },
      Integration: { Type: 'MOCK', ...integration },
      ...properties,
    },
  },
});

const plan = (apiStage: object): object => ({
  Plan: {
    Type: 'AWS::ApiGateway::UsagePlan',
    Properties: {
      UsagePlanName: 'pro',
      ApiStages: [{ ApiId: { Ref: 'Api' }, Stage: { Ref: 'Stage' }, ...apiStage }],
    },
  },
});

/** Reads an API that has these resources. */
function read(resources: object): unknown {
  const api = {
    Api: { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: 'api' } },
    Stage: { Type: 'AWS::ApiGateway::Stage', Properties: { RestApiId: { Ref: 'Api' } } },
  };
  const about = { name: 'App', account: '111122223333', region: 'eu-central-1', assets: new Map() };
  const stack = stackFromTemplate(templateSchema.parse({ Resources: { ...api, ...resources } }), about);
  return readApis(deploymentOf([stack]));
}

describe('an API is read', () => {
  test('with mock integrations and plans', () => {
    const integration = {
      RequestTemplates: { 'application/json': '{ statusCode: 200 }' },
      IntegrationResponses: [{ StatusCode: '200', ResponseTemplates: { 'application/json': '{}' } }],
    };
    expect(() => read({ ...method({}, integration), ...plan({}) })).not.toThrow();
  });

  const template = { 'application/json': '{ "statusCode": $input.params("status") }' };
  const response = { StatusCode: '200', ResponseTemplates: { 'application/json': '#set($a = 1)' } };
  const throttle = { '/projects/GET': { RateLimit: 1, BurstLimit: 1 } };

  test.each<[string, object, RegExp]>([
    ['a request mapping', method({}, { RequestTemplates: template }), /App\/Method[^]*RequestTemplates[^]*VTL/],
    ['a response mapping', method({}, { IntegrationResponses: [response] }), /App\/Method[^]*ResponseTemplates[^]*VTL/],
    ['a request model', method({ RequestModels: { 'application/json': 'Project' } }), /App\/Method[^]*RequestModels/],
    ['a method’s throttle of a plan', plan({ Throttle: throttle }), /App\/Plan[^]*throttles of single methods/],
  ])('but not with %s: the start stops and says so', (_name, resources, message) => {
    expect(() => read(resources)).toThrow(message);
  });
});
