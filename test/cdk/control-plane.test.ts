import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizerCacheSeconds, controlServices, stackOutputs } from '../../shared/contract/index.ts';
import { methods, type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let controlPlane: Template;
beforeAll(() => {
  synthesized = synthesize({ corsAllowedOrigins: ['https://app.example.com'] });
  controlPlane = templateOf(synthesized, 'ControlPlane');
});
afterAll(() => synthesized[Symbol.dispose]());

describe('the API of the control plane', () => {
  it('has exactly the routes of the contract, and no preflights, though browsers may call that of tenants', () => {
    expect([...methods(controlPlane).keys()].sort()).toEqual(Object.values(controlServices).flat().toSorted());
    expect(methods(templateOf(synthesized, 'Application')).has('OPTIONS /projects')).toBe(true);
  });

  it('asks the authorizer of operators on every route, and for no key', () => {
    for (const [route, method] of methods(controlPlane)) {
      expect(method, route).toMatchObject({
        AuthorizationType: 'CUSTOM',
        AuthorizerId: { Ref: expect.stringContaining('Authorizer') },
        RequestValidatorId: { Ref: expect.any(String) },
        Integration: { Type: 'AWS_PROXY', TimeoutInMillis: 29_000 },
      });
      expect(method['ApiKeyRequired'] ?? false, route).toBe(false);
    }
    const [authorizer] = Object.values(controlPlane.findResources('AWS::ApiGateway::Authorizer')) as Resource[];
    expect(JSON.stringify(authorizer?.Properties['AuthorizerUri'])).toContain('OperatorAuthorizerFunction');
    controlPlane.resourceCountIs('AWS::ApiGateway::UsagePlan', 0);
  });

  it('caches an answer of its authorizer by the token alone', () => {
    controlPlane.resourceCountIs('AWS::ApiGateway::Authorizer', 1);
    controlPlane.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: authorizerCacheSeconds,
    });
  });

  it('has an address, a name and limits of its own, and logs no bodies', () => {
    controlPlane.hasOutput(stackOutputs.controlPlaneUrl, { Value: Match.anyValue() });
    controlPlane.hasResourceProperties('AWS::ApiGateway::RestApi', { Name: 'tenantry-dev-control' });
    controlPlane.hasResourceProperties('AWS::ApiGateway::Stage', {
      TracingEnabled: true,
      MethodSettings: [
        Match.objectLike({ ThrottlingRateLimit: Match.anyValue(), DataTraceEnabled: false, LoggingLevel: 'OFF' }),
      ],
    });
  });

  it('leaves the role by which API Gateway writes logs, one for the account, to the application', () => {
    controlPlane.resourceCountIs('AWS::ApiGateway::Account', 0);
    templateOf(synthesized, 'Application').resourceCountIs('AWS::ApiGateway::Account', 1);
  });

  it('lets no origin read the answers of the gateway itself', () => {
    expect(JSON.stringify(controlPlane.findResources('AWS::ApiGateway::GatewayResponse'))).not.toContain(
      'Access-Control',
    );
  });
});
