import type { APIGatewayProxyEvent } from 'aws-lambda';
import { authorizerContextKeys } from '../contract/index.ts';

/** An IAM principal's ARN; of an assumed role with the role and the name of the session, which whoever assumes it may choose. */
const principalArn = /^arn:[^:\s]+:(iam|sts)::\d{12}:\S+$/;

/**
 * Who makes the request, by what API Gateway says of it, through whichever door of the control plane they came: the subject of a token
 * that the operator authorizer let in, or the ARN of the AWS principal whose signature API Gateway verified. Undefined for
 * everything else, also when both are named, or a token's subject looks like an ARN: no door says that.
 *
 * API Gateway writes the request context, a client nothing of it; and it alone may invoke the functions.
 */
export function operatorOf({ authorizer, identity }: APIGatewayProxyEvent['requestContext']): string | undefined {
  const operatorId: unknown = authorizer?.[authorizerContextKeys.operatorId];
  const userArn: unknown = (identity as typeof identity | undefined)?.userArn;
  if (isText(operatorId) && !isText(userArn)) return operatorId.startsWith('arn:') ? undefined : operatorId;
  // Signed requests pass no authorizer: API Gateway has nothing to say of one.
  if (isText(userArn) && authorizer == null) return principalArn.test(userArn) ? userArn : undefined;
  return undefined;
}

const isText = (value: unknown): value is string => typeof value === 'string' && value !== '';
