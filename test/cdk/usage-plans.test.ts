import { App, Stack } from 'aws-cdk-lib';
import { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { Template } from 'aws-cdk-lib/assertions';
import { expect, it } from 'vitest';
import { addUsagePlans } from '../../lib/constructs/usage-plans.ts';
import { plans } from '../../shared/contract/index.ts';
import type { Resource } from './synthesize.ts';

it('API Gateway limits tenants of a plan that share an API key by nothing, and those of the other plans as before', () => {
  const stack = new Stack(new App(), 'Api');
  const restApi = new RestApi(stack, 'RestApi');
  restApi.root.addMethod('GET');
  addUsagePlans(restApi, restApi.deploymentStage, 'dev', { ...plans, free: { ...plans.free, sharesApiKey: true } });
  const made = Template.fromStack(stack).findResources('AWS::ApiGateway::UsagePlan') as Record<string, Resource>;
  const limited = Object.values(made).map(({ Properties }) => [
    Properties['UsagePlanName'],
    'Throttle' in Properties,
    'Quota' in Properties,
    'ApiStages' in Properties,
  ]);
  expect(limited).toEqual([
    ['tenantry-dev-free', false, false, true],
    ['tenantry-dev-pro', true, true, true],
    ['tenantry-dev-enterprise', true, true, true],
  ]);
});
