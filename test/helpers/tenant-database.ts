import { type DataApi, type DataApiCall, type DataApiOptions, startDataApi } from '../../local/data-api/server.ts';
import { databaseRoles, mainCluster, poolSchema } from '../../shared/contract/index.ts';
import type { DatabaseConfig } from '../../shared/database/index.ts';
import { openTenantDatabase, type TenantDatabase } from '../../shared/database/tenant-database.ts';
import { runWithTenant, type TenantContext } from '../../shared/tenancy/index.ts';
import { capabilityFor } from './capability.ts';
import { createTestDatabase, type TestDatabase } from './database.ts';

/** A migrated database behind a real Data API endpoint, used as functions use it. */
export interface TestTenantDatabase extends AsyncDisposable {
  readonly db: TenantDatabase;
  readonly postgres: TestDatabase;
  readonly server: DataApi;
  /** Every call that the endpoint has answered. */
  readonly calls: DataApiCall[];
  readonly config: DatabaseConfig;
  context(tenantId: string, changes?: Partial<TenantContext>): TenantContext;
  /** Does `work` as a request of the tenant. */
  as<T>(tenantId: string, work: () => Promise<T>, changes?: Partial<TenantContext>): Promise<T>;
}

const clusterArn = (name: string) => `arn:aws:rds:eu-central-1:000000000000:cluster:${name}`;
const secretArn = (role: string) => `arn:aws:secretsmanager:eu-central-1:000000000000:secret:${role}`;

export async function startTenantDatabase(
  tenantIds: readonly string[],
  options: Partial<DataApiOptions> = {},
): Promise<TestTenantDatabase> {
  const postgres = await createTestDatabase();
  await postgres.addTenants(...tenantIds);
  const calls: DataApiCall[] = [];
  const server = await startDataApi({
    clusters: { [clusterArn(mainCluster)]: { host: '127.0.0.1', port: postgres.port } },
    // Every role's password is its name.
    secret: (arn) => Promise.resolve({ username: arn.split(':').at(-1) ?? '', password: arn.split(':').at(-1) ?? '' }),
    onCall: (call) => calls.push(call),
    ...options,
  });
  pointSdkAt(server.url);
  const config = configFor('app', postgres.name);
  const context: TestTenantDatabase['context'] = (tenantId, changes) => ({
    tenantId,
    plan: 'free',
    placement: { model: 'pool', cluster: mainCluster, database: postgres.name, schema: poolSchema },
    userId: 'user-1',
    roles: [],
    capability: capabilityFor(tenantId),
    ...changes,
  });
  return {
    db: openTenantDatabase(config),
    postgres,
    server,
    calls,
    config,
    context,
    as: (tenantId, work, changes) => runWithTenant(context(tenantId, changes), work),
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await postgres[Symbol.asyncDispose]();
    },
  };
}

/** Lets the SDK find the endpoint as it does in a function. */
export function pointSdkAt(url: string): void {
  Object.assign(process.env, {
    AWS_REGION: 'eu-central-1',
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_RDS_DATA: url,
  });
}

/** The configuration of a function that logs in as `role`. */
export function configFor(role: keyof typeof databaseRoles, database: string): DatabaseConfig {
  return {
    clusters: { [mainCluster]: { resourceArn: clusterArn(mainCluster), secretArn: secretArn(databaseRoles[role]) } },
    registry: { cluster: mainCluster, database },
  };
}
