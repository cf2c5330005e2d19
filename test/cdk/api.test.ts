import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  authorizerCacheSeconds,
  environmentKeys,
  planNames,
  plans,
  publicServices,
  services,
} from '../../shared/contract/index.ts';
import { limitsFor } from '../../shared/rate-limit/index.ts';
import { methods, type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let application: Template;
beforeAll(() => {
  synthesized = synthesize({ api: { rateLimit: 123, burstLimit: 45 } });
  application = templateOf(synthesized, 'Application');
});
afterAll(() => synthesized[Symbol.dispose]());

describe('the API', () => {
  it('has exactly the routes of the contract', () => {
    const routes = [...Object.values(services), ...Object.values(publicServices)].flat();

    expect([...methods(application).keys()].sort()).toEqual(routes.toSorted());
  });

  it('asks the authorizer and wants a key on every route of tenants, answered by the function of the service', () => {
    for (const [service, routes] of Object.entries(services)) {
      for (const route of routes) {
        const method = methods(application).get(route);
        expect(method, route).toMatchObject({
          AuthorizationType: 'CUSTOM',
          AuthorizerId: { Ref: expect.stringContaining('Authorizer') },
          ApiKeyRequired: true,
          RequestValidatorId: { Ref: expect.any(String) },
          Integration: { Type: 'AWS_PROXY', TimeoutInMillis: 29_000 },
        });
        expect(JSON.stringify(method?.['Integration']), route).toContain(`Service${service}Function`);
      }
    }
  });

  it('takes the key from the authorizer, never from the client', () => {
    application.hasResourceProperties('AWS::ApiGateway::RestApi', { ApiKeySourceType: 'AUTHORIZER' });
  });

  it('hands JSON to the functions as the bytes that were sent', () => {
    application.hasResourceProperties('AWS::ApiGateway::RestApi', { BinaryMediaTypes: ['application/json'] });
  });

  it('caches an answer of the authorizer by the token alone', () => {
    application.resourceCountIs('AWS::ApiGateway::Authorizer', 1);
    application.hasResourceProperties('AWS::ApiGateway::Authorizer', {
      Type: 'REQUEST',
      IdentitySource: 'method.request.header.Authorization',
      AuthorizerResultTtlInSeconds: authorizerCacheSeconds,
    });
  });

  it.each(planNames)('throttles plan %s as the exact limiter does', (name) => {
    const { requestsPerMinute, burst } = limitsFor(name);

    application.hasResourceProperties('AWS::ApiGateway::UsagePlan', {
      UsagePlanName: `tenantry-dev-${name}`,
      Throttle: { RateLimit: requestsPerMinute / 60, BurstLimit: burst },
      Quota: { Limit: plans[name].requestsPerMonth, Period: 'MONTH' },
      ApiStages: [Match.objectLike({ Stage: Match.anyValue() })],
    });
  });

  it('limits all tenants together, traces, and logs no bodies', () => {
    application.hasResourceProperties('AWS::ApiGateway::Stage', {
      TracingEnabled: true,
      MethodSettings: [
        Match.objectLike({
          HttpMethod: '*',
          ResourcePath: '/*',
          ThrottlingRateLimit: 123,
          ThrottlingBurstLimit: 45,
          DataTraceEnabled: false,
          LoggingLevel: 'OFF',
        }),
      ],
    });
  });

  it('writes a line of JSON a request, with the tenant, without token or capability', () => {
    const [stage] = Object.values(application.findResources('AWS::ApiGateway::Stage') as Record<string, Resource>);
    const { Format } = stage?.Properties['AccessLogSetting'] as { Format: string };
    const fields = Object.values(JSON.parse(Format) as Record<string, string>);

    expect(JSON.parse(Format)).toMatchObject({
      requestId: '$context.extendedRequestId',
      route: '$context.resourcePath',
      status: '$context.status',
      latencyMs: '$context.responseLatency',
      tenantId: '$context.authorizer.tenantId',
    });
    for (const field of fields) expect(field).not.toMatch(/capability|authorization\b|header|apiKey/i);
  });

  it('writes nothing into that line that a client could have written, since API Gateway escapes nothing', () => {
    const [stage] = Object.values(application.findResources('AWS::ApiGateway::Stage') as Record<string, Resource>);
    const { Format } = stage?.Properties['AccessLogSetting'] as { Format: string };
    const ofTheGateway =
      /^(extendedRequestId|requestTimeEpoch|httpMethod|resourcePath|status|response(Latency|Length))$/;
    // The actor is escaped there: test/unit/authorizer/authorize.test.ts.
    const ofOurAuthorizer = /^authorizer\.(tenantId|plan|actor|impersonationId|errorCode)$/;
    const others = /^(integrationLatency|authorizer\.latency|error\.responseType|identity\.sourceIp)$/;

    const variables = [...Format.matchAll(/\$context\.([\w.]+)/g)].map(([, name]) => name ?? '');

    expect(variables).not.toEqual([]);
    expect(
      variables.filter((name) => ![ofTheGateway, ofOurAuthorizer, others].some((safe) => safe.test(name))),
    ).toEqual([]);
  });

  it('answers preflights and names the origin only where browsers are configured', () => {
    using open = synthesize({ corsAllowedOrigins: ['https://app.example.com'] });
    const template = templateOf(open, 'Application');

    expect([...methods(application).keys()].filter((route) => route.startsWith('OPTIONS'))).toEqual([]);
    expect(methods(template).has('OPTIONS /projects')).toBe(true);
    template.allResourcesProperties('AWS::ApiGateway::GatewayResponse', {
      ResponseParameters: Match.objectLike({
        'gatewayresponse.header.Access-Control-Allow-Origin': "'https://app.example.com'",
      }),
    });
  });

  it.each(['open', 'closed'] as const)(
    'has functions of tenants told to be %s while the cache is away',
    (whenUnavailable) => {
      using stage = synthesize({ limits: { whenUnavailable } });
      const told = templateOf(stage, 'Application').findResources('AWS::Lambda::Function', {
        Properties: { Environment: { Variables: { [environmentKeys.limitsWhenUnavailable]: whenUnavailable } } },
      });
      expect(Object.keys(told)).toHaveLength(Object.keys(services).length);
    },
  );
});
