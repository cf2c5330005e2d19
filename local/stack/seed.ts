import { Client } from 'pg';
import * as z from 'zod';
import { seedDemoTenants, type SeedTarget } from '../demo.ts';
import type { ApiDefinition } from '../gateway/definition.ts';
import type { Functions } from '../lambda/functions.ts';
import type { BackingServices } from '../resources/backing-services.ts';
import { invokeAtStart } from '../resources/triggers.ts';
import { parseUntyped } from '../untyped.ts';
import type { ContractArns } from './contract-arns.ts';
import { clusterNamed, type NamedClusters } from './named-clusters.ts';

export interface SeedOptions {
  readonly services: BackingServices;
  readonly clusters: NamedClusters;
  readonly arns: ContractArns;
  readonly functions: Functions;
  readonly migrationRunner: string;
}

const loginSchema = z.object({ username: z.string(), password: z.string() });
const madeSchema = z.object({ secretArn: z.string() });

/** Sees to it that there are demo tenants. @returns how many were added */
export function seed({ stage, usagePlans }: ApiDefinition, options: SeedOptions): Promise<number> {
  const { services, functions, migrationRunner } = options;
  return seedDemoTenants({
    connect: connector(options),
    makeDatabase: async (tenantId, cluster) =>
      madeSchema.parse(await invokeAtStart(migrationRunner, { action: 'make', tenantId, cluster }, functions))
        .secretArn,
    keys: services.apiKeys,
    usagePlans,
    stage,
  });
}

function connector({ services, clusters, arns }: SeedOptions): SeedTarget['connect'] {
  return async (role, { cluster, database }) => {
    const { host, port } = clusterNamed(clusters, cluster).server;
    const login = parseUntyped(services.secrets.get(arns.roleSecrets[role] ?? '')?.value ?? '{}');
    const { username: user, password } = loginSchema.parse(login);
    const client = new Client({ host, port, database, user, password });
    await client.connect();
    return { client, [Symbol.asyncDispose]: () => client.end() };
  };
}
