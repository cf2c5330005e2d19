import { Duration } from 'aws-cdk-lib';
import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { FilterPattern, type LogGroup } from 'aws-cdk-lib/aws-logs';
import { authorizerContextKeys, metricNames, metricsNamespace } from '../../shared/contract/index.ts';

/**
 * One JSON line a request. API Gateway pastes values between the quotes and escapes nothing, so there is nothing here that a client
 * could have written: neither path nor user, nor the request and trace ids that it may bring along. The line of the function, which
 * escapes, has those. Named field by field, so that neither token nor capability ever gets in.
 */
export const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    // The only id that is API Gateway's own.
    requestId: AccessLogField.contextExtendedRequestId(),
    time: AccessLogField.contextRequestTimeEpoch(),
    method: AccessLogField.contextHttpMethod(),
    route: AccessLogField.contextResourcePath(),
    status: AccessLogField.contextStatus(),
    latencyMs: AccessLogField.contextResponseLatency(),
    integrationLatencyMs: AccessLogField.contextIntegrationLatency(),
    authorizerLatencyMs: AccessLogField.contextAuthorizerLatency(),
    responseBytes: AccessLogField.contextResponseLength(),
    tenantId: AccessLogField.contextAuthorizer(authorizerContextKeys.tenantId),
    plan: AccessLogField.contextAuthorizer(authorizerContextKeys.plan),
    // Operators who act for the tenant: escaped by the authorizer.
    actor: AccessLogField.contextAuthorizer(authorizerContextKeys.actor),
    impersonationId: AccessLogField.contextAuthorizer(authorizerContextKeys.impersonationId),
    errorCode: AccessLogField.contextAuthorizer(authorizerContextKeys.errorCode),
    errorType: AccessLogField.contextErrorResponseType(),
    sourceIp: AccessLogField.contextIdentitySourceIp(),
  }),
);

/** Counts, in an access log of this format, requests for which the authorizer could not say yes or no. */
export function countAuthorizerFailures(accessLogs: LogGroup): IMetric {
  const filter = accessLogs.addMetricFilter('AuthorizerFailures', {
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
