/**
 * What there may be of things that tenants use up. Quotas of AWS can be raised: a stage's configuration says by how much they were.
 */
export const quotaLimits = {
  /** API keys, which API Gateway allows an account in a Region; AWS does not raise it. A tenant has one. */
  apiKeys: 10_000,
  /** Usage plans, which API Gateway allows an account in a Region. A plan has one. */
  usagePlans: 300,
  /** Secrets, which Secrets Manager allows an account in a Region. A silo has one. */
  secrets: 500_000,
  /** Databases on a cluster: silos. Nobody's quota, but advice: each has a catalog and migrations of its own. */
  databasesPerCluster: 200,
  /** Schemas on a cluster: bridges and pools. Advice: the audit and migrations are measured with as many. */
  schemasPerCluster: 1_000,
} as const;

export type QuotaName = keyof typeof quotaLimits;

export const quotaNames = Object.keys(quotaLimits) as readonly QuotaName[];
