/** Database roles that the migration runner creates and whose logins lib keeps in Secrets Manager. */
export const databaseRoles = {
  /** Owns and migrates every object; neither superuser nor BYPASSRLS. */
  owner: 'tenantry_owner',
  /** What application functions log in as: owns nothing, member of nothing. */
  app: 'tenantry_app',
  /** Reads the registry, for the authorizer alone. */
  authorizer: 'tenantry_authorizer',
  /** Reads and writes the registry. */
  control: 'tenantry_control',
  /** What `control` may, and acts for tenants: exports, restores and erases their rows. For the function of operations alone. */
  operations: 'tenantry_operations',
} as const;

export type DatabaseRole = keyof typeof databaseRoles;

/** Database of the first cluster, which holds the registry and the pool. */
export const mainDatabase = 'tenantry';
/** Name of the first cluster. */
export const mainCluster = 'main';
/** Schema that tenants of the pool share. */
export const poolSchema = 'pool';
