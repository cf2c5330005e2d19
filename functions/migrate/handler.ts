import { fileURLToPath } from 'node:url';
import { Logger } from '@aws-lambda-powertools/logger';
import { getSecret } from '@aws-lambda-powertools/parameters/secrets';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import type { Context } from 'aws-lambda';
import * as z from 'zod';
import { loadConfig } from '../../shared/config/index.ts';
import { type DatabaseRole, databaseRoles } from '../../shared/contract/index.ts';
import { readAllMigrations } from '../../shared/database/migrator.ts';
import { handOver } from '../../shared/fleet/index.ts';
import { parseSigningKeys } from '../../shared/tenancy/index.ts';
import { readRequest } from './request.ts';
import { deploy, goOn } from './service.ts';
import { siloSecretsOf } from './silo-secrets.ts';
import { dropSilo, makeSilo } from './silo.ts';
import { statusOf } from './status.ts';
import type { Cluster, System } from './system.ts';

const log = new Logger();
const config = loadConfig('stage', 'clusters', 'registry', 'roleSecretArns', 'signingSecretArn', 'fleetFunctionArn');
const lambda = new LambdaClient();
const siloSecrets = siloSecretsOf(new SecretsManagerClient(), config.stage);

/** Lies beside the bundle, where lib puts it. */
const migrationsFolder = fileURLToPath(new URL('migrations', import.meta.url));

/** Kept for what is under way when time is up, and for the audit. */
const reserveMs = 90_000;
/** As long as a caller waits who goes on with the rest of a fleet. */
const sliceMs = 180_000;

/**
 * Runs at every deploy, before the functions that need its result: roles, kernel, registry and all placements of every cluster.
 * Whatever it throws fails the deploy. Also makes and drops databases of tenants' own, and goes on with a fleet, or says how one
 * is, for those who ask for that.
 */
export async function handler(event: unknown, context: Context): Promise<unknown> {
  const request = readRequest(event);
  const system = await readSystem();
  const until = Date.now() + context.getRemainingTimeInMillis() - reserveMs;
  switch (request?.action) {
    case 'make':
      return { secretArn: await makeSilo(request, system) };
    case 'drop':
      return dropSilo(request, system);
    case 'continue':
      return goOn(system, request.progress, Math.min(until, Date.now() + sliceMs));
    case 'status':
      return statusOf(system, until, request.after);
    case undefined:
      return deployAll(system, until, context.functionName);
  }
}

async function deployAll(system: System, until: number, functionName: string): Promise<void> {
  await deploy(system, until, async (progress) => {
    await handOver(lambda, { fleetFunctionArn: config.fleetFunctionArn, functionName }, progress);
    log.warn('The fleet goes on after the deployment', { progress });
  });
}

async function readSystem(): Promise<System> {
  const [migrations, passwords, signingKeys] = await Promise.all([
    readAllMigrations(migrationsFolder),
    readPasswords(),
    readText(config.signingSecretArn).then(parseSigningKeys),
  ]);
  const clusters = Object.entries(config.clusters).map(([name, { resourceArn, secretArn }]): Cluster => ({
    name,
    resourceArn,
    masterSecretArn: secretArn,
    ownerSecretArn: secretArnOf('owner'),
    database: config.registry.database,
    holdsRegistry: name === config.registry.cluster,
  }));
  return { clusters, migrations, passwords, signingKeys, siloSecrets, log };
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
