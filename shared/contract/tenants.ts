/** What can become of a tenant. Only `active` ones are served. */
export const tenantStates = ['onboarding', 'active', 'suspended', 'offboarding'] as const;

export type TenantState = (typeof tenantStates)[number];
