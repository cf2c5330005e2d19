/** What can become of a tenant. Only `active` ones are served. */
export const tenantStates = ['onboarding', 'active', 'suspended', 'offboarding'] as const;

export type TenantState = (typeof tenantStates)[number];

/** Tag of what belongs to a stage. */
export const stageTag = 'tenantry:stage';
/** Tag of what belongs to one tenant: its value is the tenant's id. */
export const tenantTag = 'tenantry:tenant';

/** What the names of a tenant's secrets begin with. */
export const tenantSecretPrefix = (stage: string, tenantId: string): string => `tenantry/${stage}/tenants/${tenantId}/`;

/** The schema, or the database, that is a tenant's alone; as the kernel's `tenancy.home_of` has it. */
export const tenantHomeName = (tenantId: string): string => `t_${tenantId.replaceAll('-', '_')}`;

/** What the names of the logins of tenants' own databases begin with. */
export const siloSecretPrefix = (stage: string): string => `silo/${stage}/`;

/** Prefix of all exports in their bucket. */
export const exportsFolder = 'exports/';
