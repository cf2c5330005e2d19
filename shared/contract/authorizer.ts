/**
 * Keys of the authorizer's context: what API Gateway hands to functions (all values are strings there)
 * and, for a refusal, what the gateway responses print.
 */
export const authorizerContextKeys = {
  tenantId: 'tenantId',
  plan: 'plan',
  /** JSON of the tenant's placement `{ model, cluster, database, schema }`. */
  placement: 'placement',
  /** JSON of {@link TenantLimits}; nothing for a tenant that has none of its own. */
  limits: 'limits',
  userId: 'userId',
  /** Who acts on the control plane, in place of tenant and user. */
  operatorId: 'operatorId',
  /** Roles of the user, separated by spaces. */
  roles: 'roles',
  /** Never logged. */
  capability: 'capability',
  /** The operator who acts for the tenant, escaped like {@link authorizerContextKeys.errorDetail}; nothing for a user of the tenant. */
  actor: 'actor',
  /** Id of the impersonation in which they do. */
  impersonationId: 'impersonationId',
  /** Code of the error catalogue, on a refusal. */
  errorCode: 'errorCode',
  /** The catalogue's title of that code, escaped like {@link authorizerContextKeys.errorDetail}. */
  errorTitle: 'errorTitle',
  /** One sentence on why, on a refusal; escaped, so that it can stand between the quotes of a JSON text. */
  errorDetail: 'errorDetail',
} as const;

/** Seconds for which API Gateway replays an authorizer's answer to the same token. */
export const authorizerCacheSeconds = 300;
/** Seconds for which a capability is good: the authorizer's cache, one 29 s request, and clock skew. */
export const capabilitySeconds = authorizerCacheSeconds + 60;
