import { setTimeout } from 'node:timers/promises';
import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { loadConfig } from '../../shared/config/index.ts';
import { findTenant } from '../../shared/database/index.ts';
import { headerValue, requestIdOf } from '../../shared/http/index.ts';
import { serviceLogger } from '../../shared/logging/index.ts';
import { runWithRequestRecord } from '../../shared/metrics/index.ts';
import { loadSigningKey } from '../../shared/tenancy/index.ts';
import { allow, deny } from './policy.ts';
import { authorize } from './service.ts';
import { InvalidTokenError, tokenVerifier } from './token-verifier.ts';

const config = loadConfig('issuers', 'signingSecretArn');
const log = serviceLogger('authorizer');
const verifier = tokenVerifier(config.issuers);
const signingKey = () => loadSigningKey(config.signingSecretArn);

// Ahead of the first token, while the environment starts; awaited, since Lambda freezes whatever is still under way when the start is over.
// What fails or takes too long now is tried again by the request that needs it.
const warmUpMs = 3_000;
await Promise.race([
  Promise.allSettled([verifier.hydrate(), signingKey()]),
  setTimeout(warmUpMs, undefined, { ref: false }),
]);

/** Lambda authorizer of type REQUEST, with the header Authorization as its only identity source. */
export async function handler(event: APIGatewayRequestAuthorizerEvent): Promise<APIGatewayAuthorizerResult> {
  return await runWithRequestRecord(requestIdOf(event.requestContext), async () => {
    try {
      const decision = await authorize(bearerToken(event), { verifier, findTenant, signingKey });
      if (decision.allowed) return allow(event.methodArn, decision.tenant, decision.apiKey);
      log.info('Refused', { code: decision.code, userId: decision.userId });
      return deny(event.methodArn, decision.userId, decision.code, decision.detail);
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
