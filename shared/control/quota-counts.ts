import * as z from 'zod';
import { planNames, type QuotaName } from '../contract/index.ts';
import { placementSchema, planSchema } from '../tenancy/index.ts';
import { growthPerDay, growthWindowDays, projectQuota } from './project-quota.ts';

export const quotaSchema = z.object({
  name: z.string().meta({ examples: ['api-keys', 'schemas:main', 'tenants:free'] }),
  used: z.int().nullable().meta({ description: 'Null where it could not be counted; `source` says why.' }),
  limit: z.int().nullable().meta({ description: 'Null where nothing is limited, or the limit is not known.' }),
  percent: z.number().nullable(),
  growthPerDay: z
    .number()
    .nullable()
    .meta({
      description: `How many have come a day, over the last ${growthWindowDays} days; null where there are too few to say.`,
    }),
  exhaustedOn: z.iso.date().nullable().meta({
    description: 'The day on which the limit is reached at that rate; null when that is not to be seen.',
  }),
  warning: z.boolean().meta({ description: 'Whether 80 % are used.' }),
  source: z.string().meta({ description: 'What was counted, and whose limit it is.' }),
});
export type Quota = Readonly<z.output<typeof quotaSchema>>;

const groupSchema = z.object({
  plan: planSchema,
  model: placementSchema.shape.model,
  cluster: z.string(),
  total: z.int(),
  recent: z.int(),
});
type Group = z.output<typeof groupSchema>;

/** What was counted at one moment. */
export const countsSchema = z.object({
  observedDays: z.number(),
  groups: z.array(groupSchema),
  /** API keys, one that tenants share counted once. */
  keys: z.object({ total: z.int(), recent: z.int() }),
  places: z.array(z.object({ cluster: z.string(), databases: z.int(), schemas: z.int() })),
});

/** Connections to a cluster, and how many it takes. */
export const connectionsSchema = z.object({ used: z.int(), limit: z.int() });

/** The same of a cluster by its name; or why it could not be asked. */
export type ClusterConnections = { readonly cluster: string } & (
  Readonly<z.output<typeof connectionsSchema>> | { readonly used: null; readonly limit: null; readonly gap: string }
);

export type Counts = z.output<typeof countsSchema> & { readonly connections: readonly ClusterConnections[] };

interface Counted {
  readonly name: string;
  /** Null where it could not be counted. */
  readonly used: number | null;
  readonly limit: number | null;
  readonly source: string;
  /** Tenants of which each uses up one; none where tenants do not matter. */
  readonly by?: readonly Pick<Group, 'total' | 'recent'>[];
}

/** Names of the clusters of a stage: all that there are, also those without tenants. */
export type DeclaredClusters = readonly string[];

/** What is used of each quota, and until when there is room. */
export function quotasOf(
  { groups, keys, places, observedDays, connections }: Counts,
  limits: Readonly<Record<QuotaName, number>>,
  clusters: DeclaredClusters,
  now: Date,
): Quota[] {
  const silos = groups.filter(({ model }) => model === 'silo');
  // A cluster that was given up may still have tenants.
  const names = [...new Set([...clusters, ...places.map(({ cluster }) => cluster)])];
  const placesOf = (cluster: string) =>
    places.find((place) => place.cluster === cluster) ?? { cluster, databases: 0, schemas: 0 };
  const perPlace = names.map(placesOf).flatMap(({ cluster, databases, schemas }): Counted[] => [
    {
      name: `databases:${cluster}`,
      used: databases,
      limit: limits.databasesPerCluster,
      source: 'Databases in which the registry has tenants; advice, as Postgres has no limit.',
      by: silos.filter((group) => group.cluster === cluster),
    },
    {
      name: `schemas:${cluster}`,
      used: schemas,
      limit: limits.schemasPerCluster,
      source: 'Schemas in which the registry has tenants; advice, as Postgres has no limit.',
      by: groups.filter((group) => group.cluster === cluster && group.model !== 'pool'),
    },
  ]);
  const counted: readonly Counted[] = [
    {
      name: 'api-keys',
      used: keys.total,
      limit: limits.apiKeys,
      source:
        'Keys of tenants, by the registry, shared ones once: keys of others in the account are not among them. A quota of API Gateway.',
      by: [keys],
    },
    {
      name: 'usage-plans',
      used: planNames.length,
      limit: limits.usagePlans,
      source: 'Plans of this stage, which tenants share. A quota of API Gateway.',
    },
    {
      name: 'secrets',
      used: sumOf(silos, 'total'),
      limit: limits.secrets,
      source: 'Silos, by the registry, each of which has a login of its own. A quota of Secrets Manager.',
      by: silos,
    },
    ...perPlace,
    ...connections.map(countedConnections),
    ...tenantCounts(groups),
  ];
  return counted.map(({ by = [], ...quota }) => {
    const growth = growthPerDay({ total: sumOf(by, 'total'), recent: sumOf(by, 'recent'), observedDays });
    return { ...quota, growthPerDay: growth, ...projectQuota({ ...quota, growthPerDay: growth }, now) };
  });
}

function countedConnections({ cluster, used, limit, ...rest }: ClusterConnections): Counted {
  const what = 'Connections to the cluster at this moment, those of the Data API among them; its max_connections.';
  return {
    name: `connections:${cluster}`,
    used,
    limit,
    source: 'gap' in rest ? `Not known, as the cluster did not answer: ${rest.gap}` : what,
  };
}

function tenantCounts(groups: readonly Group[]): Counted[] {
  const count = (name: string, by: readonly Group[]): Counted => ({
    name,
    used: sumOf(by, 'total'),
    limit: null,
    source: 'Tenants in the registry.',
    by,
  });
  return [
    count('tenants', groups),
    ...planNames.map((plan) =>
      count(
        `tenants:${plan}`,
        groups.filter((group) => group.plan === plan),
      ),
    ),
    ...placementSchema.shape.model.options.map((model) =>
      count(
        `tenants:${model}`,
        groups.filter((group) => group.model === model),
      ),
    ),
  ];
}

function sumOf(groups: readonly Pick<Group, 'total' | 'recent'>[], field: 'total' | 'recent'): number {
  return groups.reduce((sum, group) => sum + group[field], 0);
}
