/** How strongly a tenant's data is set apart: shared schema, schema of its own, database of its own. */
export const placementModels = ['pool', 'bridge', 'silo'] as const;

export type PlacementModel = (typeof placementModels)[number];

/** What a cluster takes of new tenants, as the stage's configuration declares it. */
export interface ClusterCapacity {
  readonly models: readonly PlacementModel[];
  /** Most tenants of a model; none: as many as come. */
  readonly limits: Readonly<Partial<Record<PlacementModel, number>>>;
  /** Takes nobody new; who is there stays. */
  readonly drained: boolean;
}
