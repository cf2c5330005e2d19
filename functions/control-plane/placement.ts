import {
  type ClusterCapacity,
  mainDatabase,
  type PlacementModel,
  type PlanName,
  plans,
  poolSchema,
  tenantHomeName,
} from '../../shared/contract/index.ts';
import { chooseCluster, countTenants, requireFreeId } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import type { Placement } from '../../shared/tenancy/index.ts';
import type { PlacementQuery } from './new-tenant.ts';

/** What is asked of a new tenant's home. */
export interface Wish {
  readonly plan: PlanName;
  /** @default what the plan has */
  readonly model?: PlacementModel | undefined;
  /** @default any that has room */
  readonly cluster?: string | undefined;
}

/**
 * Where a new tenant will live.
 *
 * @param clusters by name, in order of declaration
 * @throws AppError no-capacity, validation-failed
 */
export async function choosePlacement(
  tenantId: string,
  wish: Wish,
  clusters: Readonly<Record<string, ClusterCapacity>>,
): Promise<Placement> {
  const cluster = chooseCluster(modelOf(wish), only(wish.cluster, clusters), await countTenants(tenantId));
  return placementOn(cluster, tenantId, wish);
}

const modelOf = ({ plan, model = plans[plan].placement }: Wish): PlacementModel => model;

/** Where a new tenant would live on a cluster, whether that has room or not. */
export function placementOn(cluster: string, tenantId: string, wish: Wish): Placement {
  const model = modelOf(wish);
  const home = tenantHomeName(tenantId);
  switch (model) {
    case 'pool':
      return { model, cluster, database: mainDatabase, schema: poolSchema };
    case 'bridge':
      return { model, cluster, database: mainDatabase, schema: home };
    case 'silo':
      return { model, cluster, database: home, schema: home };
  }
}

/**
 * Where a new tenant would live, for whoever has something to do before asking for it.
 *
 * @throws AppError tenant-exists, tenant-id-used, no-capacity, validation-failed
 */
export async function previewPlacement(
  { tenantId, ...wish }: PlacementQuery,
  clusters: Readonly<Record<string, ClusterCapacity>>,
): Promise<Placement> {
  await requireFreeId(tenantId);
  return choosePlacement(tenantId, wish, clusters);
}

function only(
  wanted: string | undefined,
  clusters: Readonly<Record<string, ClusterCapacity>>,
): Readonly<Record<string, ClusterCapacity>> {
  if (wanted === undefined) return clusters;
  const capacity = Object.hasOwn(clusters, wanted) ? clusters[wanted] : undefined;
  if (capacity) return { [wanted]: capacity };
  throw new AppError(
    'validation-failed',
    `There is no cluster ${wanted}. Those of this stage are ${Object.keys(clusters).join(', ')}.`,
  );
}
