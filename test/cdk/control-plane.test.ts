import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authorizerCacheSeconds, controlServices, environmentKeys, stackOutputs } from '../../shared/contract/index.ts';
import { methods, type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

/** How the logical ids of the two doors begin. */
const tokenApi = 'ControlApi';
const iamApi = 'ControlIamApi';

let synthesized: Synthesized;
let controlPlane: Template;
beforeAll(() => {
  synthesized = synthesize({ corsAllowedOrigins: ['https://app.example.com'] });
  controlPlane = templateOf(synthesized, 'ControlPlane');
});
afterAll(() => synthesized[Symbol.dispose]());

describe('the API of the control plane', () => {
  it('has exactly the routes of the contract, and no preflights, though browsers may call that of tenants', () => {
    const routes = Object.values(controlServices).flat().toSorted();
    expect([...methods(controlPlane, tokenApi).keys()].sort()).toEqual(routes);
    expect([...methods(controlPlane, iamApi).keys()].sort()).toEqual(routes);
    expect(methods(templateOf(synthesized, 'Application')).has('OPTIONS /projects')).toBe(true);
  });

  it('asks the authorizer of operators on every route, and for no key', () => {
    for (const [route, method] of methods(controlPlane, tokenApi)) {
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

describe('the same API for AWS principals', () => {
  it('has API Gateway verify a signature on every route, and asks no authorizer', () => {
    const guarded = [...methods(controlPlane, iamApi)];
    expect(guarded.length).toBeGreaterThan(0);
    for (const [route, method] of guarded) {
      expect(method['AuthorizationType'], route).toBe('AWS_IAM');
      expect(method, route).not.toHaveProperty('AuthorizerId');
    }
  });

  it('ends at the functions that answer the other door, which no API but these two may invoke', () => {
    const uriOf = (api: string) =>
      [...methods(controlPlane, api).values()].map((method) => (method['Integration'] as { Uri: unknown }).Uri);
    expect(uriOf(iamApi)).toEqual(uriOf(tokenApi));
    // The cache of tenants is of another stack, and answers nobody.
    const permissions = (Object.values(controlPlane.findResources('AWS::Lambda::Permission')) as Resource[]).filter(
      ({ Properties }) => !JSON.stringify(Properties['FunctionName']).includes('TenantCacheFunction'),
    );
    expect(permissions.length).toBeGreaterThanOrEqual(2);
    for (const { Properties } of permissions) {
      expect(Properties['Principal']).toBe('apigateway.amazonaws.com');
      expect(JSON.stringify(Properties['SourceArn'])).toMatch(/"Ref":"Control(Iam)?Api/);
    }
  });

  it('lets no principal in by itself, and keeps those of other accounts out', () => {
    const apis = Object.entries(controlPlane.findResources('AWS::ApiGateway::RestApi')) as [string, Resource][];
    const policyOf = (api: string) => apis.find(([id]) => id.startsWith(api))?.[1].Properties['Policy'];
    expect(policyOf(iamApi)).toMatchObject({
      Statement: [
        {
          Effect: 'Deny',
          Principal: { AWS: '*' },
          Action: 'execute-api:Invoke',
          Resource: 'execute-api:/*',
          Condition: { StringNotEquals: { 'aws:PrincipalAccount': { Ref: 'AWS::AccountId' } } },
        },
      ],
    });
    expect(policyOf(tokenApi)).toBeUndefined();
  });

  it('comes with a policy that lets its principals call this one stage, and nothing else', () => {
    const [policy, ...others] = Object.values(controlPlane.findResources('AWS::IAM::ManagedPolicy')) as Resource[];
    expect(others).toEqual([]);
    const { Statement } = policy?.Properties['PolicyDocument'] as { Statement: { Resource: unknown }[] };
    expect(Statement).toMatchObject([{ Effect: 'Allow', Action: 'execute-api:Invoke' }]);
    expect(JSON.stringify(Statement[0]?.Resource)).toMatch(/:execute-api:.*"Ref":"ControlIamApi\w+"\},"\/dev\/\*\/\*"/);
    controlPlane.hasOutput(stackOutputs.controlPlaneIamUrl, { Value: Match.anyValue() });
    controlPlane.hasOutput(stackOutputs.operatorPolicyArn, { Value: Match.anyValue() });
  });
});

const variablesOf = (template: Template): readonly string[] => {
  const functions = Object.values(template.findResources('AWS::Lambda::Function')) as Resource[];
  return functions.map(({ Properties }) => JSON.stringify(Properties['Environment']));
};

it('tells the control plane, and nobody else, what clusters take of new tenants, with advice where no limit is given', () => {
  const clusters = { main: { limits: { pool: 7, silo: 5 } }, second: { models: ['silo' as const], drained: true } };
  using declared = synthesize({ clusters, quotas: { schemasPerCluster: 30 } });

  const told = variablesOf(templateOf(declared, 'ControlPlane')).filter((text) =>
    text.includes(environmentKeys.clusterCapacity),
  );
  const [variables] = told.map((text) => JSON.parse(text) as { Variables: Record<string, string> });
  expect(told).toHaveLength(1);
  expect(JSON.parse(variables?.Variables[environmentKeys.clusterCapacity] ?? '')).toEqual({
    main: { models: ['pool', 'bridge', 'silo'], limits: { pool: 7, bridge: 30, silo: 5 }, drained: false },
    second: { models: ['silo'], limits: { bridge: 30, silo: 200 }, drained: true },
  });
});

it('tells the control plane of quotas that were raised, and of none otherwise', () => {
  using raised = synthesize({ quotas: { usagePlans: 600 } });

  expect(variablesOf(controlPlane).filter((text) => text.includes('TENANTRY_QUOTA_LIMITS'))).toEqual([]);
  expect(
    variablesOf(templateOf(raised, 'ControlPlane')).filter((text) => text.includes('{\\"usagePlans\\":600}')),
  ).toHaveLength(1);
});
