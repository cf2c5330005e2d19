import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as apigateway from 'aws-cdk-lib/aws-apigateway';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { FilterPattern, LogGroup } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { metricNames, metricsNamespace, type Route } from '../../shared/contract/index.ts';
import type { StageConfig } from '../config.ts';
import { accessLogFormat } from './access-log.ts';
import { acknowledge } from './acknowledge.ts';
import { addGatewayResponses } from './gateway-responses.ts';
import { preflightOptions, readPreflightsAsText } from './preflight.ts';

/** Longer, API Gateway would cut it off. */
const integrationTimeout = Duration.seconds(29);

export interface TenantApiProps {
  readonly config: StageConfig;
  readonly authorizer: IFunction;
}

/** The REST API: every tenant route asks the authorizer and counts against the tenant's usage plan. */
export class TenantApi extends Construct {
  readonly restApi: apigateway.RestApi;
  /** Requests for which the authorizer could not say yes or no; refusals are not among them. */
  readonly authorizerFailures: IMetric;
  private readonly accessLogs: LogGroup;
  private readonly authorizer: apigateway.RequestAuthorizer;
  private readonly requestValidator: apigateway.RequestValidator;

  constructor(scope: Construct, id: string, { config, authorizer }: TenantApiProps) {
    super(scope, id);
    this.accessLogs = new LogGroup(this, 'AccessLogs', {
      retention: config.logRetentionDays,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.restApi = this.createApi(config);
    readPreflightsAsText(this.restApi);
    this.authorizerFailures = this.countAuthorizerFailures();
    this.requestValidator = this.restApi.addRequestValidator('RequestValidator', {
      validateRequestBody: true,
      validateRequestParameters: true,
    });
    this.authorizer = new apigateway.RequestAuthorizer(this, 'Authorizer', {
      handler: authorizer,
      // The token alone: it names exactly one tenant, so an answer that is replayed for it serves no other.
      identitySources: [apigateway.IdentitySource.header('Authorization')],
      resultsCacheTtl: Duration.seconds(config.authorizerCacheSeconds),
    });
    addGatewayResponses(this.restApi, gatewayResponseOrigin(config.corsAllowedOrigins));
    this.acknowledgeFindings();
  }

  /** Routes that need a token, answered by `handler`. */
  addTenantRoutes(handler: IFunction, routes: readonly Route[]): void {
    this.addRoutes(handler, routes, {
      authorizer: this.authorizer,
      authorizationType: apigateway.AuthorizationType.CUSTOM,
      apiKeyRequired: true,
    });
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

  private createApi({ stage, api, corsAllowedOrigins }: StageConfig): apigateway.RestApi {
    return new apigateway.RestApi(this, 'Api', {
      restApiName: `tenantry-${stage}`,
      description: `Tenantry, stage ${stage}`,
      endpointTypes: [apigateway.EndpointType.REGIONAL],
      // JSON comes as its bytes, in base64: as text it would come with whatever is not UTF-8 replaced, and be stored like that.
      binaryMediaTypes: ['application/json'],
      // The authorizer answers with the tenant's key, so that clients never hold one.
      apiKeySourceType: apigateway.ApiKeySourceType.AUTHORIZER,
      cloudWatchRole: api.ownsAccountLogRole,
      ...(api.ownsAccountLogRole && { cloudWatchRoleRemovalPolicy: RemovalPolicy.RETAIN }),
      ...(corsAllowedOrigins.length > 0 && { defaultCorsPreflightOptions: preflightOptions(corsAllowedOrigins) }),
      deployOptions: {
        stageName: stage,
        accessLogDestination: new apigateway.LogGroupLogDestination(this.accessLogs),
        accessLogFormat,
        metricsEnabled: true,
        loggingLevel: apigateway.MethodLoggingLevel.OFF,
        dataTraceEnabled: false,
        tracingEnabled: true,
        throttlingRateLimit: api.rateLimit,
        throttlingBurstLimit: api.burstLimit,
      },
    });
  }

  private countAuthorizerFailures(): IMetric {
    const filter = this.accessLogs.addMetricFilter('AuthorizerFailures', {
      filterPattern: FilterPattern.any(
        FilterPattern.stringValue('$.errorType', '=', 'AUTHORIZER_FAILURE'),
        FilterPattern.stringValue('$.errorType', '=', 'AUTHORIZER_CONFIGURATION_ERROR'),
      ),
      metricNamespace: metricsNamespace,
      metricName: metricNames.authorizerFailures,
      metricValue: '1',
    });
    return filter.metric({ statistic: 'Sum', period: Duration.minutes(5) });
  }

  private acknowledgeFindings(): void {
    acknowledge(this.restApi, {
      'AwsSolutions-APIG3':
        'A firewall is a cost and a set of rules that a team should choose knowingly; usage plans bound each tenant.',
      'AwsSolutions-APIG6':
        'Execution logs can show the authorizer’s context, hence capabilities; access logs and traces tell the rest.',
      'AwsSolutions-COG4':
        'A Lambda authorizer verifies the tokens: it takes several issuers, and looks at the state of the tenant.',
      'AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs]':
        'The policy that AWS keeps for exactly this role, which API Gateway alone can assume.',
    });
  }
}

function pathParameters(path: string): Record<string, boolean> {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]);
  return Object.fromEntries(names.map((name) => [`method.request.path.${name}`, true]));
}

/** A gateway response cannot choose among origins. Its body tells nothing of a tenant, so any origin may read it. */
function gatewayResponseOrigin(allowedOrigins: readonly string[]): string | undefined {
  return allowedOrigins.length > 1 ? '*' : allowedOrigins[0];
}
