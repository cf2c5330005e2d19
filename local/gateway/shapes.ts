import * as z from 'zod';
import type { ResourceShape } from '../template/deployment.ts';
import { isPreflightTemplate } from './preflight-template.ts';

/**
 * What the local gateway understands of each API Gateway resource. Schemas are strict: a property that is neither here nor in `ignored`
 * stops the start, so that nothing which changes an answer on AWS is overlooked.
 */
const number = z.coerce.number();
const flag = z.union([z.boolean(), z.stringbool()]);
const texts = z.record(z.string(), z.string());

/** The one resource policy that changes nothing here, where all principals are of one account. */
const noOtherAccounts = z.strictObject(
  {
    Version: z.string(),
    Statement: z.array(
      z.strictObject({
        Effect: z.literal('Deny'),
        Action: z.literal('execute-api:Invoke'),
        Resource: z.literal('execute-api:/*'),
        Principal: z.union([z.literal('*'), z.strictObject({ AWS: z.literal('*') })]),
        Condition: z.strictObject({ StringNotEquals: z.strictObject({ 'aws:PrincipalAccount': z.string() }) }),
      }),
    ),
  },
  'the local gateway knows no resource policy but the one that keeps other accounts out',
);

export const restApiShape = {
  type: 'AWS::ApiGateway::RestApi',
  schema: z.strictObject({
    Name: z.string().default('api'),
    ApiKeySourceType: z.enum(['HEADER', 'AUTHORIZER']).default('HEADER'),
    BinaryMediaTypes: z.array(z.string()).default([]),
    Policy: noOtherAccounts.optional(),
  }),
  ignored: [
    'Description',
    'DisableExecuteApiEndpoint',
    'EndpointConfiguration',
    'FailOnWarnings',
    'SecurityPolicy',
    'Tags',
  ],
} satisfies ResourceShape<z.ZodType>;

export const resourceShape = {
  type: 'AWS::ApiGateway::Resource',
  schema: z.strictObject({ ParentId: z.string(), PathPart: z.string(), RestApiId: z.string() }),
  ignored: [],
} satisfies ResourceShape<z.ZodType>;

const isPlain = (template: string): boolean => !/[#$]/.test(template);
const noMappings = 'mapping templates (VTL) are not evaluated here';

const integrationSchema = z.strictObject({
  Type: z.enum(['AWS_PROXY', 'MOCK'], 'the local gateway has AWS_PROXY and MOCK integrations'),
  Uri: z.string().optional(),
  IntegrationHttpMethod: z.string().optional(),
  TimeoutInMillis: number.default(29_000),
  PassthroughBehavior: z.string().optional(),
  ContentHandling: z.literal('CONVERT_TO_TEXT', 'bodies are converted to text only here').optional(),
  Credentials: z.string().optional(),
  RequestTemplates: z.record(z.string(), z.string().refine(isPlain, noMappings)).optional(),
  IntegrationResponses: z
    .array(
      z.strictObject({
        StatusCode: z.coerce.string(),
        SelectionPattern: z.string().optional(),
        ContentHandling: z.literal('CONVERT_TO_TEXT', 'bodies are converted to text only here').optional(),
        ResponseParameters: texts.default({}),
        ResponseTemplates: z
          .record(
            z.string(),
            z.string().refine((template) => isPlain(template) || isPreflightTemplate(template), noMappings),
          )
          .default({}),
      }),
    )
    .default([]),
});
export type Integration = z.infer<typeof integrationSchema>;

export const methodShape = {
  type: 'AWS::ApiGateway::Method',
  schema: z.strictObject({
    HttpMethod: z.string(),
    ResourceId: z.string(),
    RestApiId: z.string(),
    AuthorizationType: z
      .enum(['NONE', 'CUSTOM', 'AWS_IAM'], 'the local gateway has Lambda authorizers and AWS_IAM only')
      .default('NONE'),
    AuthorizerId: z.string().optional(),
    ApiKeyRequired: flag.default(false),
    RequestParameters: z.record(z.string(), flag).default({}),
    RequestValidatorId: z.string().optional(),
    Integration: integrationSchema,
  }),
  ignored: ['MethodResponses', 'OperationName'],
} satisfies ResourceShape<z.ZodType>;

export const authorizerShape = {
  type: 'AWS::ApiGateway::Authorizer',
  schema: z.strictObject({
    RestApiId: z.string(),
    Type: z.literal('REQUEST', 'the local gateway has REQUEST authorizers only'),
    AuthorizerUri: z.string(),
    AuthorizerResultTtlInSeconds: number.min(0).max(3_600).default(300),
    IdentitySource: z.string().default(''),
  }),
  ignored: ['AuthType', 'AuthorizerCredentials', 'Name'],
} satisfies ResourceShape<z.ZodType>;

export const validatorShape = {
  type: 'AWS::ApiGateway::RequestValidator',
  schema: z.strictObject({
    RestApiId: z.string(),
    ValidateRequestParameters: flag.default(false),
    ValidateRequestBody: flag.default(false),
  }),
  ignored: ['Name'],
} satisfies ResourceShape<z.ZodType>;

export const gatewayResponseShape = {
  type: 'AWS::ApiGateway::GatewayResponse',
  schema: z.strictObject({
    RestApiId: z.string(),
    ResponseType: z.string(),
    StatusCode: number.optional(),
    ResponseParameters: texts.default({}),
    ResponseTemplates: texts.default({}),
  }),
  ignored: [],
} satisfies ResourceShape<z.ZodType>;

export const stageShape = {
  type: 'AWS::ApiGateway::Stage',
  schema: z.strictObject({
    RestApiId: z.string(),
    StageName: z.string().default('default'),
    AccessLogSetting: z.strictObject({ Format: z.string(), DestinationArn: z.string().optional() }).optional(),
    MethodSettings: z
      .array(
        z.object({
          HttpMethod: z.string().default('*'),
          ResourcePath: z.string().default('/*'),
          ThrottlingRateLimit: number.optional(),
          ThrottlingBurstLimit: number.optional(),
          CachingEnabled: z.literal(false, 'the local gateway has no response cache').optional(),
        }),
      )
      .default([]),
    Variables: texts.optional(),
    CacheClusterEnabled: z.literal(false, 'the local gateway has no response cache').optional(),
  }),
  ignored: ['DeploymentId', 'Description', 'Tags', 'TracingEnabled'],
} satisfies ResourceShape<z.ZodType>;

export const usagePlanShape = {
  type: 'AWS::ApiGateway::UsagePlan',
  schema: z.strictObject({
    UsagePlanName: z.string(),
    ApiStages: z
      .array(
        z.strictObject({
          ApiId: z.string(),
          Stage: z.string(),
          Throttle: z.strictObject({}, 'throttles of single methods are not known to the local gateway').optional(),
        }),
      )
      .default([]),
    Throttle: z.strictObject({ RateLimit: number, BurstLimit: number }).optional(),
    Quota: z
      .strictObject({ Limit: number, Period: z.enum(['DAY', 'WEEK', 'MONTH']), Offset: number.default(0) })
      .optional(),
  }),
  ignored: ['Description', 'Tags'],
} satisfies ResourceShape<z.ZodType>;
