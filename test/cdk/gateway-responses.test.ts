import { describe, expect, it, beforeAll, afterAll } from 'vitest';
import { denyStage } from '../../shared/authorizer/index.ts';
import { plans } from '../../shared/contract/index.ts';
import { AppError, type ErrorCode, errorCatalogue, problemDetails } from '../../shared/errors/index.ts';
import { isOfApi, type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

interface GatewayResponse {
  readonly ResponseType: string;
  readonly StatusCode: string;
  readonly ResponseParameters: Readonly<Record<string, string>>;
  readonly ResponseTemplates: Readonly<Record<string, string>>;
}

let synthesized: Synthesized;
let responses: Map<string, GatewayResponse>;
beforeAll(() => {
  synthesized = synthesize();
});
afterAll(() => synthesized[Symbol.dispose]());

const problemOf = (type: string) =>
  JSON.parse(
    responses
      .get(type)
      ?.ResponseTemplates['application/json']?.replaceAll('$context.error.messageString', '"As \\"it\\" says."') ??
      'null',
  ) as Record<string, unknown> | null;
const headerOf = (type: string, name: string) =>
  responses.get(type)?.ResponseParameters[`gatewayresponse.header.${name}`];

const prefixed = (prefix: string, values: object) =>
  Object.fromEntries(Object.entries(values).map(([name, value]): [string, unknown] => [prefix + name, value]));

/** What each kind of answer must be to clients. The authorizer's own refusals have the code that it gives. */
const expected: Record<string, [ErrorCode, number] | undefined> = {
  UNAUTHORIZED: ['unauthorized', 401],
  EXPIRED_TOKEN: ['unauthorized', 401],
  INVALID_SIGNATURE: ['unauthorized', 401],
  INVALID_API_KEY: ['api-key-invalid', 403],
  WAF_FILTERED: ['forbidden', 403],
  THROTTLED: ['rate-limited', 429],
  QUOTA_EXCEEDED: ['quota-exceeded', 429],
  MISSING_AUTHENTICATION_TOKEN: ['route-not-found', 404],
  RESOURCE_NOT_FOUND: ['route-not-found', 404],
  REQUEST_TOO_LARGE: ['body-too-large', 413],
  UNSUPPORTED_MEDIA_TYPE: ['unsupported-media-type', 415],
  BAD_REQUEST_BODY: ['validation-failed', 400],
  BAD_REQUEST_PARAMETERS: ['validation-failed', 400],
  DEFAULT_4XX: ['validation-failed', 400],
  INTEGRATION_TIMEOUT: ['gateway-timeout', 504],
  INTEGRATION_FAILURE: ['bad-gateway', 502],
  AUTHORIZER_FAILURE: ['internal', 500],
  AUTHORIZER_CONFIGURATION_ERROR: ['internal', 500],
  API_CONFIGURATION_ERROR: ['internal', 500],
  DEFAULT_5XX: ['internal', 500],
};

/** Where signatures are asked for, in place of tokens. */
const expectedOfSigned: typeof expected = {
  ...expected,
  MISSING_AUTHENTICATION_TOKEN: ['signature-missing', 403],
  UNAUTHORIZED: ['signature-invalid', 403],
  EXPIRED_TOKEN: ['signature-invalid', 403],
  INVALID_SIGNATURE: ['signature-invalid', 403],
  ACCESS_DENIED: ['forbidden', 403],
};

function readResponses(stack: string, api: string): void {
  const found = templateOf(synthesized, stack).findResources('AWS::ApiGateway::GatewayResponse');
  const ofApi = (Object.values(found) as Resource[]).filter((response) => isOfApi(response, api));
  const all = ofApi.map(({ Properties }) => Properties as unknown as GatewayResponse);
  responses = new Map(all.map((response) => [response.ResponseType, response]));
}

function expectProblem(type: string, wanted: [ErrorCode, number] | undefined): void {
  const [code, status] = wanted ?? ['internal', 500];
  expect(responses.get(type)?.StatusCode).toBe(String(status));
  expect(headerOf(type, 'Content-Type')).toBe("'application/problem+json'");
  const instance = '$context.extendedRequestId';
  const problem = { type: `urn:tenantry:error:${code}`, code, ...errorCatalogue[code], status, instance };
  expect(problemOf(type)).toMatchObject(problem);
}

describe('answers of the gateway itself, of the API that verifies signatures', () => {
  beforeAll(() => readResponses('ControlPlane', 'ControlIamApi'));

  it('cover every kind that API Gateway knows', () => {
    expect([...responses.keys()].sort()).toEqual(Object.keys(expectedOfSigned).sort());
  });

  it.each(Object.entries(expectedOfSigned))('%s is problem details of the catalogue', (type, wanted) => {
    expectProblem(type, wanted);
  });

  it('ask for no bearer token', () => {
    expect(headerOf('UNAUTHORIZED', 'WWW-Authenticate')).toBeUndefined();
  });
});

describe.each([
  ['Application', ''],
  ['ControlPlane', 'ControlApi'],
])('answers of the gateway itself, of stack %s', (stack, api) => {
  beforeAll(() => readResponses(stack, api));

  it('cover every kind that API Gateway knows', () => {
    expect([...responses.keys()].sort()).toEqual([...Object.keys(expected), 'ACCESS_DENIED'].sort());
  });

  it.each(Object.entries(expected))('%s is problem details of the catalogue', (type, wanted) => {
    expectProblem(type, wanted);
  });

  it('tell nothing about failures of our own but that they happened', () => {
    for (const type of responses.keys()) {
      if (Number(responses.get(type)?.StatusCode) >= 500) expect(problemOf(type), type).not.toHaveProperty('detail');
    }
  });

  it.each(['The tenant is not active.', 'Quotes "like these", a \\ and a\nline feed.'])(
    'pass on why the authorizer refused, as a function would say it: %j',
    (detail) => {
      const arn = 'arn:aws:execute-api:eu-central-1:123456789012:api-id/dev/GET/projects';
      const { context } = denyStage(arn, { userId: 'ann', code: 'tenant-suspended', detail });
      const template = responses.get('ACCESS_DENIED')?.ResponseTemplates['application/json'] ?? '';
      const variables: Record<string, unknown> = {
        extendedRequestId: 'request-1',
        ...prefixed('authorizer.', context ?? {}),
      };

      const body = template.replaceAll(/\$context\.([\w.]*\w)/g, (_, name: string) => String(variables[name]));

      expect(responses.get('ACCESS_DENIED')?.StatusCode).toBe('403');
      expect(JSON.parse(body)).toEqual(problemDetails(new AppError('tenant-suspended', detail), 'request-1'));
    },
  );

  it('say what is wrong with a request that the gateway does not pass on', () => {
    for (const type of ['BAD_REQUEST_PARAMETERS', 'BAD_REQUEST_BODY', 'DEFAULT_4XX']) {
      expect(problemOf(type)).toMatchObject({ errors: [{ pointer: '#', detail: 'As "it" says.' }] });
    }
  });

  it('say how to authenticate on 401', () => {
    expect(headerOf('UNAUTHORIZED', 'WWW-Authenticate')).toBe("'Bearer'");
  });

  it('say when to come back to who was too fast: as soon as the slowest plan has room for one more', () => {
    const [, seconds] = /^'(\d+)'$/.exec(headerOf('THROTTLED', 'Retry-After') ?? '') ?? [];
    const secondsOfPlans = Object.values(plans).map(({ requestsPerMinute }) => 60 / requestsPerMinute);
    expect(Number(seconds)).toBe(Math.ceil(Math.max(...secondsOfPlans)));
  });

  it('name no seconds to who has used the month up: they would not be the time that there is more', () => {
    expect(responses.has('QUOTA_EXCEEDED')).toBe(true);
    expect(headerOf('QUOTA_EXCEEDED', 'Retry-After')).toBeUndefined();
  });
});
