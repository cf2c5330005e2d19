import { cacheNamespace, type TenantCache } from '../cache/index.ts';
import { authorizerCacheSeconds } from '../contract/index.ts';
import type { PlacementMemory } from '../database/index.ts';
import { placementSchema } from '../tenancy/index.ts';

/** For as long as an authorizer's answer may be replayed: after that requests know by themselves where their tenant lives. */
const placements = cacheNamespace('placements', { schema: placementSchema, ttlSeconds: authorizerCacheSeconds });
const current = 'current';

/** After a tenant has moved one function asks the registry where to, and all others the tenant's cache. */
export function placementsIn(cache: TenantCache): PlacementMemory {
  return {
    remember: (load) => cache.remember(placements, current, load),
    replace: (placement) => cache.set(placements, current, placement),
  };
}
