import { setTimeout as sleep } from 'node:timers/promises';
import { databaseRoles, mainCluster, mainDatabase, tenantHomeName } from '../../shared/contract/index.ts';
import { openTenantDatabase } from '../../shared/database/tenant-database.ts';
import { mintCapability, runWithTenant, type TenantContext } from '../../shared/tenancy/index.ts';
import { resourceArn, secretArn } from '../data-api.ts';
import { signingKey, tenantOf } from '../postgres.ts';

// A function of its own, whose memory is its own. Serves so many requests, of so many tenants in turn, who have all moved away from where
// their requests say, and prints the bytes of heap that are in use then.
const [requests = 0, tenants = 1] = process.argv.slice(2).map(Number);
const requestsAtOnce = 4;

const database = openTenantDatabase({
  clusters: { [mainCluster]: { resourceArn, secretArn: secretArn(databaseRoles.app) } },
  registry: { cluster: mainCluster, database: mainDatabase },
});

function contextOf(tenantId: string): TenantContext {
  const home = tenantHomeName(tenantId);
  return {
    tenantId,
    plan: 'pro',
    placement: { model: 'bridge', cluster: mainCluster, database: mainDatabase, schema: home },
    userId: 'bench',
    roles: [],
    capability: mintCapability(signingKey, tenantId, Date.now() / 1000 + 600),
  };
}

let next = 0;
async function serve(): Promise<void> {
  for (let n = next++; n < requests; n = next++)
    await runWithTenant(contextOf(tenantOf(1 + (n % tenants))), () =>
      database.selectFrom('projects').select('id').limit(1).execute(),
    );
}
await Promise.all(Array.from({ length: requestsAtOnce }, serve));
// Sockets and timers of the last calls end by themselves.
await sleep(1_000);
global.gc?.();
await sleep(100);
global.gc?.();
console.log(JSON.stringify({ heapBytes: process.memoryUsage().heapUsed }));
