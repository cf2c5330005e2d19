import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { authorizerContextKeys } from '../../shared/contract/index.ts';

/** One JSON line a request. Named field by field, so that neither token nor capability ever gets in. */
export const accessLogFormat = AccessLogFormat.custom(
  JSON.stringify({
    requestId: AccessLogField.contextRequestId(),
    extendedRequestId: AccessLogField.contextExtendedRequestId(),
    traceId: AccessLogField.contextXrayTraceId(),
    time: AccessLogField.contextRequestTimeEpoch(),
    method: AccessLogField.contextHttpMethod(),
    route: AccessLogField.contextResourcePath(),
    path: AccessLogField.contextPath(),
    status: AccessLogField.contextStatus(),
    latencyMs: AccessLogField.contextResponseLatency(),
    integrationLatencyMs: AccessLogField.contextIntegrationLatency(),
    authorizerLatencyMs: AccessLogField.contextAuthorizerLatency(),
    responseBytes: AccessLogField.contextResponseLength(),
    tenantId: AccessLogField.contextAuthorizer(authorizerContextKeys.tenantId),
    plan: AccessLogField.contextAuthorizer(authorizerContextKeys.plan),
    userId: AccessLogField.contextAuthorizer(authorizerContextKeys.userId),
    errorCode: AccessLogField.contextAuthorizer(authorizerContextKeys.errorCode),
    errorType: AccessLogField.contextErrorResponseType(),
    sourceIp: AccessLogField.contextIdentitySourceIp(),
  }),
);
