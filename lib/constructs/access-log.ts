import { AccessLogField, AccessLogFormat } from 'aws-cdk-lib/aws-apigateway';
import { authorizerContextKeys } from '../../shared/contract/index.ts';

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
    errorCode: AccessLogField.contextAuthorizer(authorizerContextKeys.errorCode),
    errorType: AccessLogField.contextErrorResponseType(),
    sourceIp: AccessLogField.contextIdentitySourceIp(),
  }),
);
