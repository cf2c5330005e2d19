import { type Deployment, readAll } from '../template/deployment.ts';
import { describe, TemplateError } from '../template/stack.ts';
import * as shapes from './shapes.ts';

/** A method of the API: what is asked of a request before its integration answers it. */
export interface MethodDefinition {
  readonly httpMethod: string;
  /** As API Gateway spells it, for example `/projects/{projectId}`. */
  readonly resourcePath: string;
  readonly resourceId: string;
  readonly authorizerId: string | undefined;
  /** Whether the caller signs with AWS credentials. */
  readonly requiresSignature: boolean;
  readonly apiKeyRequired: boolean;
  /** Parameters that must be there, as `method.request.<place>.<name>`. Empty without a validator. */
  readonly requiredParameters: readonly string[];
  readonly integration: shapes.Integration;
  /** ARN of the function behind an AWS_PROXY integration. */
  readonly functionArn: string | undefined;
}

export interface AuthorizerDefinition {
  readonly id: string;
  readonly functionArn: string;
  readonly ttlSeconds: number;
  /** Names of the headers that identify the caller. */
  readonly identityHeaders: readonly string[];
}

export interface Throttle {
  /** Requests a second. */
  readonly rate: number;
  readonly burst: number;
}

export interface UsagePlanDefinition {
  readonly id: string;
  readonly name: string;
  readonly throttle: Throttle | undefined;
  readonly quota: { readonly limit: number; readonly period: 'DAY' | 'WEEK' | 'MONTH' } | undefined;
}

export interface GatewayResponseDefinition {
  readonly statusCode: number | undefined;
  /** `gatewayresponse.header.X` to a quoted text or a context variable. */
  readonly parameters: Readonly<Record<string, string>>;
  /** By content type. */
  readonly templates: Readonly<Record<string, string>>;
}

export interface StageThrottle extends Throttle {
  readonly httpMethod: string;
  readonly resourcePath: string;
}

/** One deployed REST API, as its stack describes it. */
export interface ApiDefinition {
  readonly id: string;
  readonly name: string;
  readonly region: string;
  readonly account: string;
  readonly stage: string;
  readonly stageVariables: Readonly<Record<string, string>> | null;
  readonly accessLogFormat: string | undefined;
  readonly apiKeySource: 'HEADER' | 'AUTHORIZER';
  readonly binaryMediaTypes: readonly string[];
  readonly methods: readonly MethodDefinition[];
  readonly authorizers: ReadonlyMap<string, AuthorizerDefinition>;
  readonly gatewayResponses: ReadonlyMap<string, GatewayResponseDefinition>;
  readonly usagePlans: readonly UsagePlanDefinition[];
  readonly throttles: readonly StageThrottle[];
}

/** Every REST API of the deployment that has a stage. @throws TemplateError for what the local gateway does not know. */
export function readApis(deployment: Deployment): ApiDefinition[] {
  const apis = readAll(deployment, shapes.restApiShape);
  return readAll(deployment, shapes.stageShape).map(({ properties: stage, resource }) => {
    const api = apis.find(({ id }) => id === stage.RestApiId);
    if (!api) throw new TemplateError(`${describe(resource)} is of an API that is in no stack.`);
    const ofApi = <T extends { properties: { RestApiId: string } }>(items: T[]): T[] =>
      items.filter(({ properties }) => properties.RestApiId === api.id);
    return {
      id: api.id,
      name: api.properties.Name,
      region: resource.stack.region,
      account: resource.stack.account,
      stage: stage.StageName,
      stageVariables: stage.Variables ?? null,
      accessLogFormat: stage.AccessLogSetting?.Format,
      apiKeySource: api.properties.ApiKeySourceType,
      binaryMediaTypes: api.properties.BinaryMediaTypes,
      methods: ofApi(readAll(deployment, shapes.methodShape)).map((method) => methodOf(deployment, method)),
      authorizers: new Map(
        ofApi(readAll(deployment, shapes.authorizerShape)).map((item) => [item.id, authorizerOf(item)]),
      ),
      gatewayResponses: new Map(
        ofApi(readAll(deployment, shapes.gatewayResponseShape)).map(({ properties }) => [
          properties.ResponseType,
          {
            statusCode: properties.StatusCode,
            parameters: properties.ResponseParameters,
            templates: properties.ResponseTemplates,
          },
        ]),
      ),
      usagePlans: usagePlansOf(deployment, api.id, stage.StageName),
      throttles: stage.MethodSettings.flatMap((setting) => throttleOf(setting)),
    };
  });
}

type Read<S extends Parameters<typeof readAll>[1]> = ReturnType<typeof readAll<S['schema']>>[number];

function methodOf(deployment: Deployment, { properties, resource }: Read<typeof shapes.methodShape>): MethodDefinition {
  const validator = readAll(deployment, shapes.validatorShape).find(({ id }) => id === properties.RequestValidatorId);
  const { Integration: integration } = properties;
  if (properties.AuthorizationType === 'CUSTOM' && !properties.AuthorizerId) {
    throw new TemplateError(`${describe(resource)}: AuthorizationType CUSTOM needs an AuthorizerId.`);
  }
  return {
    httpMethod: properties.HttpMethod,
    resourceId: properties.ResourceId,
    resourcePath: resourcePath(deployment, properties.ResourceId, properties.RestApiId),
    authorizerId: properties.AuthorizerId,
    requiresSignature: properties.AuthorizationType === 'AWS_IAM',
    apiKeyRequired: properties.ApiKeyRequired,
    requiredParameters: validator?.properties.ValidateRequestParameters
      ? Object.keys(properties.RequestParameters).filter((name) => properties.RequestParameters[name])
      : [],
    integration,
    functionArn:
      integration.Type === 'AWS_PROXY' ? functionArnOf(integration.Uri ?? '', describe(resource)) : undefined,
  };
}

function resourcePath(deployment: Deployment, resourceId: string, apiId: string): string {
  const resources = readAll(deployment, shapes.resourceShape).filter(
    ({ properties }) => properties.RestApiId === apiId,
  );
  const parts: string[] = [];
  for (let id = resourceId; ;) {
    const found = resources.find((resource) => resource.id === id);
    if (!found) return `/${parts.join('/')}`;
    parts.unshift(found.properties.PathPart);
    id = found.properties.ParentId;
  }
}

function authorizerOf({ id, resource, properties }: Read<typeof shapes.authorizerShape>): AuthorizerDefinition {
  const sources = properties.IdentitySource.split(',').map((source) => source.trim());
  const identityHeaders = sources.filter(Boolean).map((source) => {
    const [, name] = /^method\.request\.header\.(.+)$/.exec(source) ?? [];
    if (name) return name;
    throw new TemplateError(`${describe(resource)}.IdentitySource: only headers are known here, not ${source}.`);
  });
  return {
    id,
    identityHeaders,
    ttlSeconds: properties.AuthorizerResultTtlInSeconds,
    functionArn: functionArnOf(properties.AuthorizerUri, describe(resource)),
  };
}

/** The function in `arn:aws:apigateway:<region>:lambda:path/2015-03-31/functions/<function ARN>/invocations`. */
function functionArnOf(uri: string, where: string): string {
  const [, arn] = /:lambda:path\/[\d-]+\/functions\/(.+)\/invocations$/.exec(uri) ?? [];
  if (arn) return arn;
  throw new TemplateError(`${where}: ${uri} does not name a Lambda function.`);
}

function usagePlansOf(deployment: Deployment, apiId: string, stage: string): UsagePlanDefinition[] {
  return readAll(deployment, shapes.usagePlanShape)
    .filter(({ properties }) => properties.ApiStages.some(({ ApiId, Stage }) => ApiId === apiId && Stage === stage))
    .map(({ id, properties: { UsagePlanName, Throttle, Quota } }) => ({
      id,
      name: UsagePlanName,
      throttle: Throttle && { rate: Throttle.RateLimit, burst: Throttle.BurstLimit },
      quota: Quota && { limit: Quota.Limit, period: Quota.Period },
    }));
}

function throttleOf(setting: Read<typeof shapes.stageShape>['properties']['MethodSettings'][number]): StageThrottle[] {
  const { ThrottlingRateLimit: rate, ThrottlingBurstLimit: burst } = setting;
  if (rate === undefined || burst === undefined) return [];
  // `~1` stands for a slash inside of a resource path.
  const resourcePath = setting.ResourcePath.replace(/^\/(?!\*$)/, '').replaceAll('~1', '/');
  return [{ rate, burst, httpMethod: setting.HttpMethod, resourcePath }];
}
