import type { RunningCluster } from '../resources/clusters.ts';
import type { ContractArns } from './contract-arns.ts';
import { StartupError } from './startup-error.ts';

/** The running clusters by their names in the stage's configuration. */
export type NamedClusters = Readonly<Record<string, RunningCluster>>;

/** @throws StartupError if the stacks use a cluster that they do not make */
export function nameClusters(
  { clusters: arns }: Pick<ContractArns, 'clusters'>,
  running: readonly RunningCluster[],
): NamedClusters {
  const named = Object.entries(arns).map(([name, arn]) => {
    const cluster = running.find((candidate) => candidate.arn === arn);
    if (cluster) return [name, cluster] as const;
    throw new StartupError(`The cluster ${name} (${arn}) is in none of the stacks.`);
  });
  return Object.fromEntries(named);
}

/** @throws StartupError if the stage's configuration has no cluster of the name */
export function clusterNamed(clusters: NamedClusters, name: string): RunningCluster {
  const cluster = Object.hasOwn(clusters, name) ? clusters[name] : undefined;
  if (cluster) return cluster;
  throw new StartupError(`The stacks have no cluster ${name}, only ${Object.keys(clusters).join(', ')}.`);
}
