import { environmentKeys, mainCluster, mainDatabase } from '../../shared/contract/index.ts';
import type { ApiDefinition } from '../gateway/definition.ts';
import { localClientId } from '../issuer/issuer-identity.ts';
import { type Issuer, startIssuer } from '../issuer/issuer-server.ts';
import type { Functions } from '../lambda/functions.ts';
import { startRedis } from '../redis.ts';
import { type BackingServices, startBackingServices } from '../resources/backing-services.ts';
import { ClusterServers } from '../resources/clusters.ts';
import { generatePassword } from '../resources/secrets.ts';
import { restoreTenantLogins } from '../resources/tenant-logins.ts';
import { readTriggers, runTriggers } from '../resources/triggers.ts';
import { type Deployment, readDeployment } from '../template/deployment.ts';
import { type ContractArns, readContractArns } from './contract-arns.ts';
import type { DataFolder } from './data-folder.ts';
import type { Progress } from './progress.ts';
import { makePrincipals } from './make-principals.ts';
import { type NamedApis, readNamedApis } from './named-apis.ts';
import { clusterNamed, type NamedClusters, nameClusters } from './named-clusters.ts';
import { seed } from './seed.ts';
import { serveApi } from './serve-api.ts';
import { startFunctions } from './start-functions.ts';
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
  readonly controlPlaneUrl: string;
  readonly controlPlaneIamUrl: string;
  /** In the form of the AWS command line, with a profile a principal. */
  readonly credentialsFile: string;
  readonly issuerUrl: string;
  readonly redisUrl: string;
  readonly lambdaUrl: string;
  readonly region: string;
  readonly services: BackingServices;
  readonly arns: ContractArns;
  readonly clusters: NamedClusters;
}

/** Domains below which a subdomain names a tenant: browsers and curl find `acme.localhost` by themselves. */
const baseDomains = ['localhost'];

/**
 * Starts everything that the synthesized stacks need on this machine, deploys them to it, and serves their APIs.
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
  const { functions, lambda, deliver, startBackground } = await startFunctions({
    ...options,
    deployment,
    endpoints: services.endpoints,
    overrides: { [environmentKeys.cacheUrl]: redis.url },
    logFolder: folder.file('logs'),
  });
  services.eventListeners.push(deliver);
  const apis = readNamedApis(deployment);
  const { arns, clusters } = await deploy(options, deployment, apis, functions, services);
  const credentialsFile = folder.file('aws-credentials');
  const principals = await makePrincipals(credentialsFile, apis.controlIam);
  const serve = (api: ApiDefinition, port: number, log: string): Promise<string> =>
    serveApi({ ...options, api, port, accessLog: folder.file(log), services, functions, principals });
  const apiUrl = await serve(apis.tenants, options.port, 'logs/access.log');
  const controlPlaneUrl = await serve(apis.control, 0, 'logs/control-plane-access.log');
  const controlPlaneIamUrl = await serve(apis.controlIam, 0, 'logs/control-plane-iam-access.log');
  void startBackground();
  const { region } = apis.tenants;
  const urls = { apiUrl, controlPlaneUrl, controlPlaneIamUrl, issuerUrl: issuer.url, redisUrl: redis.url };
  return { ...urls, lambdaUrl: lambda.url, credentialsFile, region, services, arns, clusters };
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
  apis: NamedApis,
  functions: Functions,
  services: BackingServices,
): Promise<Pick<RunningStack, 'arns' | 'clusters'>> {
  const triggers = readTriggers(deployment);
  const [migrationRunner] = triggers;
  if (migrationRunner === undefined) throw new StartupError('The stacks have no trigger that migrates the databases.');
  const arns = readContractArns(deployment, migrationRunner);
  const clusters = nameClusters(arns, services.clusters);
  const registryUrl = clusterNamed(clusters, mainCluster).server.url(mainDatabase);
  const migrate = async (): Promise<void> => {
    await restoreTenantLogins(registryUrl, services.secrets, apis.tenants.stage);
    await progress.phase('migrations', () => runTriggers(triggers, functions));
    await progress.phase('demo tenants', () =>
      seed(apis.tenants, { services, clusters, arns, functions, migrationRunner }),
    );
  };
  // Those of operators wait for their first request: most starts are for tenants.
  const warm = async (): Promise<void> => {
    const problems = await Promise.all(functionsOf(apis.tenants).map((arn) => functions.warm(arn)));
    for (const problem of problems) if (problem) print(problem);
  };
  await Promise.all([migrate(), progress.phase('functions', warm)]);
  return { arns, clusters };
}

function functionsOf(api: ApiDefinition): string[] {
  const arns = [...api.authorizers.values(), ...api.methods].map(({ functionArn }) => functionArn);
  return [...new Set(arns.filter((arn) => arn !== undefined))];
}
