import { tokenAuthorizer, tokenVerifier, warmUp } from '../../shared/authorizer/index.ts';
import { loadConfig } from '../../shared/config/index.ts';
import { findImpersonation, findTenant } from '../../shared/database/index.ts';
import { loadSigningKey } from '../../shared/tenancy/index.ts';
import { allow } from './policy.ts';
import { authorize } from './service.ts';

const config = loadConfig('issuers', 'signingSecretArn');
const verifier = tokenVerifier(config.issuers);
const signingKey = () => loadSigningKey(config.signingSecretArn);
await warmUp(verifier.hydrate(), signingKey());

/** Lets users of active tenants in, and operators who act for one, each with a capability. */
export const handler = tokenAuthorizer('authorizer', async (token, methodArn) => {
  const decision = await authorize(token, { verifier, findTenant, findImpersonation, signingKey });
  return decision.allowed ? allow(methodArn, decision.tenant, decision.apiKey) : decision;
});
