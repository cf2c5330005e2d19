import { fileURLToPath } from 'node:url';
import { Logger } from '@aws-lambda-powertools/logger';
import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { loadConfig } from '../../shared/config/index.ts';
import { type DatabaseRole, databaseRoles } from '../../shared/contract/index.ts';
import { readAllMigrations } from '../../shared/database/migrator.ts';
import { parseSigningKeys } from '../../shared/tenancy/index.ts';
import { type Cluster, migrateCluster } from './service.ts';

const logger = new Logger();
const config = loadConfig('clusters', 'registry', 'roleSecretArns', 'signingSecretArn');

/** Lies beside the bundle, where lib puts it. */
const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url));

/** Kept for what is under way when time is up, and for the audit. */
const reserveMs = 90_000;

/**
 * Runs at every deploy, before the functions that need its result: roles, kernel, registry and all placements of every cluster.
 * Whatever it throws fails the deploy.
 */
export async function handler(_event: unknown, context: Context): Promise<void> {
  const until = Date.now() + context.getRemainingTimeInMillis() - reserveMs;
  const [migrations, passwords, signingKeys] = await Promise.all([
    readAllMigrations(migrationsFolder),
    readPasswords(),
    readText(config.signingSecretArn).then(parseSigningKeys),
  ]);
  for (const [name, { resourceArn, secretArn }] of Object.entries(config.clusters)) {
    const cluster: Cluster = {
      name,
      resourceArn,
      masterSecretArn: secretArn,
      ownerSecretArn: secretArnOf('owner'),
      database: config.registry.database,
      holdsRegistry: name === config.registry.cluster,
    };
    await migrateCluster(cluster, { migrations, passwords, signingKeys, until }, logger);
  }
}

const login = z.object({ password: z.string().min(1) });

async function readPasswords(): Promise<Record<DatabaseRole, string>> {
  const roles = Object.keys(databaseRoles) as DatabaseRole[];
  const entries = roles.map(async (role) => {
    const text = await readText(secretArnOf(role));
    return [role, login.parse(JSON.parse(text)).password] as const;
  });
  return Object.fromEntries(await Promise.all(entries)) as Record<DatabaseRole, string>;
}

function secretArnOf(role: DatabaseRole): string {
  const arn = config.roleSecretArns[role];
  if (!arn) throw new Error(`The login secret of the role ${role} is not configured.`);
  return arn;
}

async function readText(secretArn: string): Promise<string> {
  const text = await getSecret(secretArn);
  if (typeof text !== 'string') throw new Error(`The secret ${secretArn} holds no text.`);
  return text;
}
