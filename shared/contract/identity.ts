/** Custom attributes of a Cognito user, without their prefix `custom:`. Operators set them, users cannot. */
export const userAttributes = {
  /** Set when the user is made, and never again. */
  tenantId: 'tenant_id',
  /** Role names, separated by spaces. */
  roles: 'roles',
} as const;

/** Claims of an access token that say for whom it acts. */
export const tokenClaims = { tenantId: 'tenant_id', roles: 'roles' } as const;

/** The role of those who run the service. It counts only in a token that names no tenant. */
export const operatorRole = 'operator';
