import { serveTenantCache } from '../../functions/tenant-cache/service.ts';
import type { CacheConnection } from '../../shared/cache/index.ts';

/** An event of the control plane that a tenant is another now, as EventBridge delivers it. */
export function tenantChange(tenantId: string, changes: object = {}): object {
  return {
    ...{ version: '0', id: crypto.randomUUID(), account: '', region: '', time: '', resources: [] },
    ...{ source: 'tenantry.control-plane', 'detail-type': 'tierChangeSuccess' },
    detail: { id: crypto.randomUUID(), tenantId, sequence: 1, plan: 'pro' },
    ...changes,
  };
}

/** Has the cache hear of it. */
export async function tellOfChange(connection: CacheConnection, tenantId: string): Promise<void> {
  await serveTenantCache(tenantChange(tenantId), connection, Date.now() + 30_000);
}
