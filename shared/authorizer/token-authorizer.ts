import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { headerValue, requestIdOf } from '../http/index.ts';
import { serviceLogger } from '../logging/index.ts';
import { runWithRequestRecord } from '../metrics/index.ts';
import { denyStage, type Refusal } from './answer.ts';
import { InvalidTokenError } from './token-verifier.ts';

/** What API Gateway calls. */
export type AuthorizerHandler = (event: APIGatewayRequestAuthorizerEvent) => Promise<APIGatewayAuthorizerResult>;

/**
 * Makes a Lambda authorizer of type REQUEST, with the header Authorization as its only identity source.
 *
 * @param service name in the log
 * @param decide lets a bearer token in, or refuses it. It throws InvalidTokenError for one that is not trusted, which API Gateway
 *   answers with 401; anything else that it throws is our own fault, answered with 500, and not cached as a refusal.
 */
export function tokenAuthorizer(
  service: string,
  decide: (token: string, methodArn: string) => Promise<APIGatewayAuthorizerResult | Refusal>,
): AuthorizerHandler {
  const log = serviceLogger(service);
  return (event) =>
    runWithRequestRecord(requestIdOf(event.requestContext), async () => {
      try {
        const decision = await decide(bearerToken(event), event.methodArn);
        if (!('allowed' in decision)) return decision;
        log.info('Refused', { code: decision.code, userId: decision.userId });
        return denyStage(event.methodArn, decision);
      } catch (error) {
        if (!(error instanceof InvalidTokenError)) {
          log.error('The authorizer failed', error as Error);
          throw error;
        }
        log.info('Unauthorized', { reason: error.message });
        // API Gateway answers 401 to an error with exactly this message.
        throw new Error('Unauthorized');
      }
    });
}

/** @throws InvalidTokenError */
function bearerToken(event: APIGatewayRequestAuthorizerEvent): string {
  const header = headerValue({ headers: event.headers ?? {} }, 'Authorization');
  const token = /^Bearer +([\w.=-]+) *$/i.exec(header ?? '')?.[1];
  if (!token) throw new InvalidTokenError('The Authorization header is not "Bearer <token>".');
  return token;
}
