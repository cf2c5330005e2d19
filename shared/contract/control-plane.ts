/** The event bus of a stage, to which the control plane publishes what becomes of tenants. */
export const eventBusName = (stage: string): string => `tenantry-${stage}`;

/** What a run of the function that publishes events may take, and how long nobody else publishes what it has claimed: it is gone by then. */
export const publishTimeoutSeconds = 60;
export const publishLeaseSeconds = 90;
