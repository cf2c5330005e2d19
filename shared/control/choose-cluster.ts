import type { ClusterCapacity, PlacementModel } from '../contract/index.ts';
import { AppError } from '../errors/index.ts';

/** Tenants of one model on one cluster. */
export interface TenantCount {
  readonly cluster: string;
  readonly model: PlacementModel;
  readonly total: number;
}

/**
 * The cluster for a new tenant: of those that take its model and have room, the one that is the least full by its own limit; of clusters
 * without a limit, which are never full, the one with the fewest tenants; of equals, the one that is declared first.
 *
 * @param clusters by name, in order of declaration
 * @param tenants how many there are; what is not in it is 0, and what is in it several times is added up
 * @throws AppError `no-capacity` when none takes one more
 */
export function chooseCluster(
  model: PlacementModel,
  clusters: Readonly<Record<string, ClusterCapacity>>,
  tenants: readonly TenantCount[],
): string {
  const loads = Object.entries(clusters).map(([name, capacity]) => loadOf(name, capacity, model, tenants));
  // Stable: equals stay in order of declaration.
  const [emptiest] = loads
    .filter(({ obstacle }) => obstacle === undefined)
    .sort((a, b) => a.share - b.share || a.unlimited - b.unlimited);
  if (emptiest) return emptiest.name;
  throw new AppError(
    'no-capacity',
    `No cluster takes another ${model} tenant: ${loads.map(({ name, obstacle }) => `${name} ${obstacle}`).join(', ')}. ` +
      'In the configuration of the stage, raise a limit, set "drained" to false, or declare another cluster; then deploy.',
  );
}

interface Load {
  readonly name: string;
  /** Between 0 and 1. */
  readonly share: number;
  /** Tenants that no limit counts. */
  readonly unlimited: number;
  /** Why the cluster takes nobody; completes a sentence that begins with its name. */
  readonly obstacle: string | undefined;
}

function loadOf(name: string, capacity: ClusterCapacity, model: PlacementModel, tenants: readonly TenantCount[]): Load {
  const used = tenants
    .filter((count) => count.cluster === name && count.model === model)
    .reduce((sum, { total }) => sum + total, 0);
  const limit = capacity.limits[model] ?? Infinity;
  const unlimited = limit === Infinity ? used : 0;
  return { name, share: used / limit, unlimited, obstacle: obstacleOf(capacity, model, used, limit) };
}

function obstacleOf(
  { models, drained }: ClusterCapacity,
  model: PlacementModel,
  used: number,
  limit: number,
): string | undefined {
  if (!models.includes(model)) return `takes no ${model} tenants`;
  if (drained) return 'is drained';
  if (used >= limit) return `has ${used} of ${limit}`;
  return undefined;
}
