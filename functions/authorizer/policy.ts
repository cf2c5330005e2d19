import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import { authorizerContextKeys as keys } from '../../shared/contract/index.ts';
import { AppError, type ErrorCode, errorCatalogue } from '../../shared/errors/index.ts';
import type { TenantContext } from '../../shared/tenancy/index.ts';

/**
 * Allows every method of the stage: API Gateway replays the answer for whatever route the same token calls next. What a tenant may do there
 * is the functions' and the database's to decide.
 *
 * @param methodArn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>`
 */
export function allow(methodArn: string, tenant: TenantContext, apiKey: string | null): APIGatewayAuthorizerResult {
  return {
    principalId: tenant.userId,
    policyDocument: policy('Allow', methodArn),
    context: {
      [keys.tenantId]: tenant.tenantId,
      [keys.plan]: tenant.plan,
      [keys.placement]: JSON.stringify(tenant.placement),
      [keys.userId]: tenant.userId,
      [keys.roles]: tenant.roles.join(' '),
      [keys.capability]: tenant.capability,
    },
    ...(apiKey !== null && { usageIdentifierKey: apiKey }),
  };
}

/** Refuses the whole stage, with the reason that the gateway's answer prints. */
export function deny(
  methodArn: string,
  principalId: string,
  code: ErrorCode,
  detail: string,
): APIGatewayAuthorizerResult {
  return {
    principalId,
    policyDocument: policy('Deny', methodArn),
    context: {
      [keys.errorCode]: code,
      [keys.errorTitle]: jsonContent(errorCatalogue[code].title),
      [keys.errorDetail]: jsonContent(detail),
    },
  };
}

/** API Gateway pastes what it is given between the quotes of a JSON text, and escapes nothing. */
function jsonContent(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

function policy(Effect: 'Allow' | 'Deny', methodArn: string): APIGatewayAuthorizerResult['policyDocument'] {
  const [api, stage] = methodArn.split('/');
  if (!api || !stage) throw new AppError('internal', `The method ARN ${methodArn} names no stage.`);
  return {
    Version: '2012-10-17',
    Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: `${api}/${stage}/*` }],
  };
}
