import { availableParallelism } from 'node:os';
import * as z from 'zod';
import { environmentKeys, mainDatabase } from '../../shared/contract/index.ts';
import { seedDemoTenants } from '../demo.ts';
import type { ApiKeyStore } from '../gateway/api-keys.ts';
import { type ApiDefinition, readApis } from '../gateway/definition.ts';
import { Gateway } from '../gateway/gateway.ts';
import { startGatewayServer } from '../gateway/server.ts';
import { localClientId } from '../issuer/issuer-identity.ts';
import { type Issuer, startIssuer } from '../issuer/issuer-server.ts';
import { Functions } from '../lambda/functions.ts';
import { startRedis } from '../redis.ts';
import { type BackingServices, startBackingServices } from '../resources/backing-services.ts';
import { ClusterServers } from '../resources/clusters.ts';
import { generatePassword } from '../resources/secrets.ts';
import { readTriggers, runTriggers } from '../resources/triggers.ts';
import { type Deployment, readDeployment } from '../template/deployment.ts';
import { parseUntyped } from '../untyped.ts';
import { type ContractArns, readContractArns } from './contract-arns.ts';
import type { DataFolder } from './data-folder.ts';
import type { Progress } from './progress.ts';
import { requestLogger } from './request-log.ts';
import { StartupError } from './startup-error.ts';
import { keptText } from './state-file.ts';
import type { Stoppables } from './stoppables.ts';
import { synthesize } from './synthesize.ts';

export interface StackOptions {
  readonly folder: DataFolder;
  /** 0: any free port. */
  readonly port: number;
  readonly progress: Progress;
  /** Shows a line on the terminal. */
  readonly print: (line: string) => void;
  /** Takes what has to be stopped, also when the start fails half-way. */
  readonly stoppables: Stoppables;
  /** Told of a server that ended without being stopped, also during the start: the stack is of no use without it. */
  readonly onCrash: (server: string, how: string) => void;
}

export interface RunningStack {
  readonly apiUrl: string;
  readonly issuerUrl: string;
  readonly redisUrl: string;
  readonly services: BackingServices;
  readonly arns: ContractArns;
  readonly gateway: Gateway;
}

const loginSchema = z.object({ username: z.string(), password: z.string() });

/** Domains below which a subdomain names a tenant: browsers and curl find `acme.localhost` by themselves. */
const baseDomains = ['localhost'];

/**
 * Starts everything that the synthesized stacks need on this machine, deploys them to it, and serves their API.
 *
 * @throws StartupError, TemplateError or PortTakenError; whatever was started until then is in `stoppables`
 */
export async function startStack(options: StackOptions): Promise<RunningStack> {
  const { folder, progress, stoppables, onCrash } = options;
  const issuer = await stoppables.add(startIssuer(folder.path));
  const superuserPassword = await keptText(folder.file('superuser-password'), () =>
    generatePassword({ ExcludePunctuation: true }),
  );
  const servers = await stoppables.add(
    new ClusterServers(folder.file('postgres'), superuserPassword, (how) => onCrash('Postgres', how)),
  );
  await servers.startKnown();
  const [redis, deployment] = await Promise.all([
    progress.phase(
      'cache',
      () => stoppables.add(startRedis({ dataDir: folder.file('redis') })),
      ({ kind }) => `(${kind})`,
    ),
    deploymentOfSources(options, issuer),
  ]);
  void redis.crashed.then((how) => onCrash(redis.kind, how));
  const services = await progress.phase('databases and AWS endpoints', () =>
    startBackingServices(deployment, servers, folder, stoppables),
  );
  const functions = await stoppables.add(
    new Functions({
      deployment,
      endpoints: services.endpoints,
      overrides: { [environmentKeys.cacheUrl]: redis.url },
      logFolder: folder.file('logs'),
      onCrash: options.print,
      maxProcesses: Math.max(2, availableParallelism() * 2),
    }),
  );
  const { gateway, arns } = await deploy(options, deployment, functions, services);
  const server = await serve(options, gateway);
  return { apiUrl: server.url, issuerUrl: issuer.url, redisUrl: redis.url, services, arns, gateway };
}

async function deploymentOfSources({ folder, progress }: StackOptions, issuer: Issuer): Promise<Deployment> {
  const assembly = folder.file('assembly');
  const issuers = [
    {
      issuer: issuer.url,
      jwksUri: issuer.jwksUri,
      audience: [localClientId],
      audienceClaim: 'client_id' as const,
      tokenUse: 'access' as const,
    },
  ];
  await progress.phase(
    'templates and bundles',
    () => synthesize(assembly, { issuers, baseDomains }),
    ({ reused }) => (reused ? '(unchanged)' : '(synthesized)'),
  );
  return readDeployment(assembly);
}

/** What a deployment does once resources exist: migrations; and what this machine adds: demo tenants and warm functions. */
async function deploy(
  { progress, print }: StackOptions,
  deployment: Deployment,
  functions: Functions,
  services: BackingServices,
): Promise<{ gateway: Gateway; arns: ContractArns }> {
  const api = onlyApi(readApis(deployment));
  const triggers = readTriggers(deployment);
  const [migrationRunner] = triggers;
  if (migrationRunner === undefined) throw new StartupError('The stacks have no trigger that migrates the databases.');
  const arns = readContractArns(deployment, migrationRunner);
  const keys = services.apiKeys;
  const migrate = async (): Promise<void> => {
    await progress.phase('migrations', () => runTriggers(triggers, functions));
    await progress.phase('demo tenants', () => seed(api, keys, services, arns));
  };
  const warm = async (): Promise<void> => {
    const problems = await Promise.all(functionsOf(api).map((arn) => functions.warm(arn)));
    for (const problem of problems) if (problem) print(problem);
  };
  await Promise.all([migrate(), progress.phase('functions', warm)]);
  const gateway = new Gateway(api, keys, (arn, event) => functions.invoke(arn, event));
  services.gateways.push(gateway);
  return { arns, gateway };
}

function seed(api: ApiDefinition, keys: ApiKeyStore, services: BackingServices, arns: ContractArns): Promise<number> {
  const [cluster] = services.clusters.filter(({ database }) => database === mainDatabase);
  if (!cluster) throw new StartupError(`No cluster has the database ${mainDatabase}.`);
  const urlOf = (role: string): string => {
    const login = parseUntyped(services.secrets.get(arns.roleSecrets[role] ?? '')?.value ?? '{}');
    const { username, password } = loginSchema.parse(login);
    return `postgres://${username}:${encodeURIComponent(password)}@${cluster.server.host}:${cluster.server.port}/${mainDatabase}`;
  };
  return seedDemoTenants({ ownerUrl: urlOf('owner'), controlUrl: urlOf('control'), keys, usagePlans: api.usagePlans });
}

async function serve({ folder, port, print, stoppables }: StackOptions, gateway: Gateway): Promise<{ url: string }> {
  const logger = await stoppables.add(
    requestLogger(folder.file('logs/access.log'), gateway.api.accessLogFormat, print),
  );
  const onFault = (error: unknown): void =>
    print(`The gateway failed: ${error instanceof Error ? error.stack : String(error)}`);
  return stoppables.add(startGatewayServer({ gateway, port, onAnswered: logger.log, onFault }));
}

function onlyApi(apis: readonly ApiDefinition[]): ApiDefinition {
  const [api, ...others] = apis;
  if (api && others.length === 0) return api;
  throw new StartupError(`The local stack serves one REST API, and the stacks have ${apis.length}.`);
}

function functionsOf(api: ApiDefinition): string[] {
  const arns = [...api.authorizers.values(), ...api.methods].map(({ functionArn }) => functionArn);
  return [...new Set(arns.filter((arn) => arn !== undefined))];
}
