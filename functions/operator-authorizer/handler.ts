import { allowStage, tokenAuthorizer, tokenVerifier, warmUp } from '../../shared/authorizer/index.ts';
import { loadConfig } from '../../shared/config/index.ts';
import { authorizerContextKeys as keys } from '../../shared/contract/index.ts';
import { authorizeOperator } from './service.ts';

const verifier = tokenVerifier(loadConfig('issuers').issuers);
await warmUp(verifier.hydrate());

/** Lets operators in, and nobody else. It reads neither registry nor secret. */
export const handler = tokenAuthorizer('operator-authorizer', async (token, methodArn) => {
  const decision = await authorizeOperator(token, verifier);
  if (!decision.allowed) return decision;
  const context = { [keys.operatorId]: decision.operatorId, [keys.roles]: decision.roles.join(' ') };
  return allowStage(methodArn, decision.operatorId, context);
});
