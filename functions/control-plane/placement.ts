import {
  type ClusterCapacity,
  mainDatabase,
  type PlacementModel,
  poolSchema,
  tenantHomeName,
} from '../../shared/contract/index.ts';
import { chooseCluster, countTenants } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import type { Placement } from '../../shared/tenancy/index.ts';

/** What is asked of a new tenant's home. */
export interface Wish {
  readonly model: PlacementModel;
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
  { model, cluster: wanted }: Wish,
  clusters: Readonly<Record<string, ClusterCapacity>>,
): Promise<Placement> {
  const cluster = chooseCluster(model, only(wanted, clusters), await countTenants(tenantId));
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
