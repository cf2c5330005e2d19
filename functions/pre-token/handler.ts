import type { PreTokenGenerationV2TriggerEvent } from 'aws-lambda';
import { tokenClaims, userAttributes } from '../../shared/contract/index.ts';

/** What Cognito reads back. Access tokens may carry lists, which the published types leave out. */
export interface TokenClaims {
  readonly claimsAndScopeOverrideDetails: {
    readonly accessTokenGeneration: { readonly claimsToAddOrOverride: Readonly<Record<string, string | string[]>> };
  };
}

/**
 * Copies a user's tenant and roles into the access token, whose claims the authorizer trusts.
 * Only attributes are read, which operators alone can set: `clientMetadata` is whatever the client sent.
 */
export function handler(
  event: PreTokenGenerationV2TriggerEvent,
): Promise<Omit<PreTokenGenerationV2TriggerEvent, 'response'> & { readonly response: TokenClaims }> {
  const attributes = event.request.userAttributes;
  const tenantId = attributes[`custom:${userAttributes.tenantId}`];
  const roles = attributes[`custom:${userAttributes.roles}`]?.split(/\s+/).filter((role) => role !== '') ?? [];
  const claims = {
    // A user without a tenant gets a token without the claim, which the authorizer refuses.
    ...(tenantId && { [tokenClaims.tenantId]: tenantId }),
    [tokenClaims.roles]: roles,
  };
  return Promise.resolve({
    ...event,
    response: { claimsAndScopeOverrideDetails: { accessTokenGeneration: { claimsToAddOrOverride: claims } } },
  });
}
