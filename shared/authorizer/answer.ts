import type { APIGatewayAuthorizerResult } from 'aws-lambda';
import { authorizerContextKeys as keys } from '../contract/index.ts';
import { AppError, type ErrorCode, errorCatalogue } from '../errors/index.ts';

/** Why a token that is good is not let in. */
export interface Refusal {
  readonly allowed: false;
  readonly userId: string;
  readonly code: ErrorCode;
  /** One sentence for whoever sent the token. */
  readonly detail: string;
}

/**
 * Allows every method of the stage: API Gateway replays the answer for whatever route the same token calls next. What the caller may do
 * there is the functions' and the database's to decide.
 *
 * @param methodArn `arn:aws:execute-api:<region>:<account>:<api>/<stage>/<method>/<path>`
 */
export function allowStage(
  methodArn: string,
  principalId: string,
  context: Readonly<Record<string, string>>,
): APIGatewayAuthorizerResult {
  return { principalId, policyDocument: policy('Allow', methodArn), context: { ...context } };
}

/** Refuses the whole stage, with the reason that the gateway's answer prints. */
export function denyStage(
  methodArn: string,
  { userId, code, detail }: Omit<Refusal, 'allowed'>,
): APIGatewayAuthorizerResult {
  return {
    principalId: userId,
    policyDocument: policy('Deny', methodArn),
    context: {
      [keys.errorCode]: code,
      [keys.errorTitle]: jsonContent(errorCatalogue[code].title),
      [keys.errorDetail]: jsonContent(detail),
    },
  };
}

/** Escapes what API Gateway pastes between the quotes of a JSON text as it is given. */
export function jsonContent(text: string): string {
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
