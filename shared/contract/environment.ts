/** Names of the environment variables that lib writes into functions and shared/config reads. */
export const environmentKeys = {
  /** Deployment stage, for example `dev`. */
  stage: 'TENANTRY_STAGE',
  /**
   * JSON, by cluster name: `{ "main": { "resourceArn": "…", "secretArn": "…" } }`.
   * The secret is the login of the role that the function is allowed to use.
   */
  clusters: 'TENANTRY_CLUSTERS',
  /** JSON of the database that holds the registry: `{ "cluster": "main", "database": "tenantry" }`. */
  registry: 'TENANTRY_REGISTRY',
  /** ARN of the login to use there, where it is another than that of its cluster. */
  registrySecretArn: 'TENANTRY_REGISTRY_SECRET_ARN',
  /** ARN of the secret that holds the capability signing keys. */
  signingSecretArn: 'TENANTRY_SIGNING_SECRET_ARN',
  /** JSON list of the trusted token issuers, see shared/config. */
  issuers: 'TENANTRY_ISSUERS',
  /** `rediss://host:port?cluster=true` or `redis://host:port`. */
  cacheUrl: 'TENANTRY_CACHE_URL',
  /** What becomes of requests that nobody can count while the cache is away: `open` or `closed`. */
  limitsWhenUnavailable: 'TENANTRY_LIMITS_WHEN_UNAVAILABLE',
  /** JSON list of domains below which a subdomain names a tenant, for example `["api.example.com"]`. */
  baseDomains: 'TENANTRY_BASE_DOMAINS',
  /** JSON list of origins that browsers may call from, or `["*"]`; not set when there are none. */
  allowedOrigins: 'TENANTRY_ALLOWED_ORIGINS',
  /** ARN of the durable function that does operations, with the version or alias to run. */
  operationsFunctionArn: 'TENANTRY_OPERATIONS_FUNCTION_ARN',
  /** JSON of the API of tenants: `{ "restApiId": "…", "stageName": "…", "usagePlanIds": { "free": "…", … } }`. */
  tenantApi: 'TENANTRY_TENANT_API',
  /** Name of the event bus of the control plane. */
  eventBus: 'TENANTRY_EVENT_BUS',
  /** ARN of the function that publishes events. */
  publisherFunctionArn: 'TENANTRY_PUBLISHER_FUNCTION_ARN',
  /** Seconds after which an unfinished operation that nobody has touched is started again. */
  restartAfterSeconds: 'TENANTRY_RESTART_AFTER_SECONDS',
  /** Seconds in which authorizers may still answer what they read before an operation ended; operations only. */
  lateAnswerSeconds: 'TENANTRY_LATE_ANSWER_SECONDS',
  /** JSON of quotas that are others than AWS’s defaults, such as `{ "usagePlans": 600 }`; not set when there are none. */
  quotaLimits: 'TENANTRY_QUOTA_LIMITS',
  /** JSON of what clusters take of new tenants, by cluster name, see `ClusterCapacity`; control plane only. */
  clusterCapacity: 'TENANTRY_CLUSTER_CAPACITY',
  /** Name of the bucket that exports of tenants are in; operations only. */
  exportBucket: 'TENANTRY_EXPORT_BUCKET',
  /** ARN of the function that purges the cache of a tenant; operations only. */
  tenantCacheFunctionArn: 'TENANTRY_TENANT_CACHE_FUNCTION_ARN',
  /** ARN of the migration runner, which makes and drops databases, too; operations and control plane only. */
  migrationFunctionArn: 'TENANTRY_MIGRATION_FUNCTION_ARN',
  /** ARN of the durable function that goes on with a fleet, with the alias to run; migration runner and control plane only. */
  fleetFunctionArn: 'TENANTRY_FLEET_FUNCTION_ARN',
  /** JSON by role name of login secret ARNs; migration runner only. */
  roleSecretArns: 'TENANTRY_ROLE_SECRET_ARNS',
} as const;
