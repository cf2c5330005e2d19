import { Duration, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { AnyPrincipal, Effect, PolicyDocument, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import type { Route } from '../../shared/contract/index.ts';
import type { StageConfig } from '../config.ts';
import { accessLogFormat, countAuthorizerFailures } from './access-log.ts';
import { acknowledge } from './acknowledge.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { preflightOptions, readPreflightsAsText } from './preflight.ts';

/** Longer, API Gateway would cut it off. */
const integrationTimeout = Duration.seconds(29);

export interface ServiceApiProps {
  readonly config: StageConfig;
  /** What API Gateway calls it, besides the stage. @default nothing: there is one API without a name of its own */
  readonly name?: string;
  readonly description: string;
  /** Asked about the token of every guarded route; or `aws-iam`, by which API Gateway itself verifies signatures of AWS credentials. */
  readonly authorizer: IFunction | 'aws-iam';
  /** Requests a second, of all callers together, and how many may come at once. */
  readonly throttle: { readonly rateLimit: number; readonly burstLimit: number };
  /** Whether guarded routes count against the usage plan of a key that the authorizer names. @default false */
  readonly countsByKey?: boolean;
  /** Whether this stack sets the role by which API Gateway writes logs: one for a whole account. @default false */
  readonly ownsAccountLogRole?: boolean;
  /** Origins that browsers may call from, or `*`. @default none */
  readonly corsAllowedOrigins?: readonly string[];
}

/** A REST API in front of functions, whose guarded routes need a caller who is known. Every answer of its own is problem details. */
export class ServiceApi extends Construct {
  readonly restApi: apigateway.RestApi;
  /** Requests for which the authorizer could not say yes or no; refusals are not among them. */
  readonly authorizerFailures: IMetric;
  private readonly accessLogs: LogGroup;
  private readonly guarded: apigateway.MethodOptions;
  private readonly requestValidator: apigateway.RequestValidator;

  constructor(scope: Construct, id: string, props: ServiceApiProps) {
    super(scope, id);
    const { config, corsAllowedOrigins = [] } = props;
    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.restApi = this.createApi(props);
    readPreflightsAsText(this.restApi);
    this.authorizerFailures = countAuthorizerFailures(this.accessLogs);
    this.requestValidator = this.restApi.addRequestValidator('RequestValidator', {
      validateRequestBody: true,
      validateRequestParameters: true,
    });
    this.guarded =
      props.authorizer === 'aws-iam'
        ? { authorizationType: apigateway.AuthorizationType.IAM }
        : this.askAuthorizer(props.authorizer, props);
    addGatewayResponses(this.restApi, { allowedOrigins: corsAllowedOrigins, isSigned: props.authorizer === 'aws-iam' });
    acknowledge(this.restApi, findingsAreFine);
  }

  private askAuthorizer(handler: IFunction, { config, countsByKey }: ServiceApiProps): apigateway.MethodOptions {
    const authorizer = new apigateway.RequestAuthorizer(this, 'Authorizer', {
      handler,
      // The token alone: it names exactly one caller, so an answer that is replayed for it serves no other.
      identitySources: [apigateway.IdentitySource.header('Authorization')],
      resultsCacheTtl: Duration.seconds(config.authorizerCacheSeconds),
    });
    return {
      authorizer,
      authorizationType: apigateway.AuthorizationType.CUSTOM,
      ...(countsByKey && { apiKeyRequired: true }),
    };
  }

  /** Routes that need a token, or a signature, answered by `handler`. */
  addGuardedRoutes(handler: IFunction, routes: readonly Route[]): void {
    this.addRoutes(handler, routes, this.guarded);
  }

  /** Routes that anyone may ask, answered by `handler`. */
  addPublicRoutes(handler: IFunction, routes: readonly Route[]): void {
    const methods = this.addRoutes(handler, routes, { authorizationType: apigateway.AuthorizationType.NONE });
    for (const method of methods)
      acknowledge(method, { 'AwsSolutions-APIG4': 'Public: it shows nothing of any tenant.' });
  }

  private addRoutes(
    handler: IFunction,
    routes: readonly Route[],
    options: apigateway.MethodOptions,
  ): apigateway.Method[] {
    const integration = new apigateway.LambdaIntegration(handler, {
      timeout: integrationTimeout,
      // One permission a function: with one a route, a large service would outgrow its resource policy.
      scopePermissionToMethod: false,
    });
    return routes.map((route) => {
      const [method = '', path = ''] = route.split(' ');
      const resource = this.restApi.root.resourceForPath(path);
      const requestParameters = pathParameters(path);
      return resource.addMethod(method, integration, {
        ...options,
        requestParameters,
        requestValidator: this.requestValidator,
      });
    });
  }

  private createApi(props: ServiceApiProps): apigateway.RestApi {
    const { config, name, description, throttle, ownsAccountLogRole = false, corsAllowedOrigins = [] } = props;
    const { stage } = config;
    return new apigateway.RestApi(this, 'Api', {
      restApiName: ['tenantry', stage, name].filter((part) => part !== undefined).join('-'),
      description,
      ...(props.authorizer === 'aws-iam' && { policy: noOtherAccounts(this) }),
      endpointTypes: [apigateway.EndpointType.REGIONAL],
      // JSON comes as its bytes, in base64: as text it would come with whatever is not UTF-8 replaced, and be stored like that.
      binaryMediaTypes: ['application/json'],
      // The authorizer answers with the caller's key, so that clients never hold one.
      ...(props.countsByKey && { apiKeySourceType: apigateway.ApiKeySourceType.AUTHORIZER }),
      cloudWatchRole: ownsAccountLogRole,
      ...(ownsAccountLogRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
      ...(corsAllowedOrigins.length > 0 && { defaultCorsPreflightOptions: preflightOptions([...corsAllowedOrigins]) }),
      deployOptions: {
        stageName: stage,
        accessLogDestination: new apigateway.LogGroupLogDestination(this.accessLogs),
        accessLogFormat,
        metricsEnabled: true,
        loggingLevel: apigateway.MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        tracingEnabled: true,
        throttlingRateLimit: throttle.rateLimit,
        throttlingBurstLimit: throttle.burstLimit,
      },
    });
  }
}

/**
 * A principal of this account comes in by a policy of its own that allows `execute-api:Invoke`; nothing here may allow it too, since
 * either would do. Those of other accounts are kept out, whatever their policies say.
 */
function noOtherAccounts(scope: Construct): PolicyDocument {
  const statement = new PolicyStatement({
    effect: Effect.DENY,
    principals: [new AnyPrincipal()],
    actions: ['execute-api:Invoke'],
    resources: ['execute-api:/*'],
    conditions: { StringNotEquals: { 'aws:PrincipalAccount': Stack.of(scope).account } },
  });
  return new PolicyDocument({ statements: [statement] });
}

const findingsAreFine = {
  'AwsSolutions-APIG3':
    'A firewall is a cost and a set of rules that a team should choose knowingly; throttles bound each caller.',
  'AwsSolutions-APIG6':
    'Execution logs can show the authorizer’s context, hence capabilities; access logs and traces tell the rest.',
  'AwsSolutions-COG4':
    'A Lambda authorizer verifies the tokens, as it takes several issuers and looks at who the caller is; or IAM verifies signatures.',
  'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]':
    'The policy that AWS keeps for exactly this role, which API Gateway alone can assume.',
};

function pathParameters(path: string): Record<string, boolean> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  return Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true]));
}
