import * as z from 'zod';
import { environmentKeys } from '../../shared/contract/index.ts';
import { findFunction } from '../lambda/definition.ts';
import type { Deployment } from '../template/deployment.ts';

const byName = z.record(z.string(), z.string());
const clusters = z.record(z.string(), z.object({ resourceArn: z.string(), secretArn: z.string() }));

/** ARNs that the migration runner is given, by the names that the project has for them. */
export interface ContractArns {
  /** Of the clusters, by their names in the stage's configuration, in order of declaration. */
  readonly clusters: Readonly<Record<string, string>>;
  /** Of the login secrets, by role: `owner`, `app`, `authorizer`, `control`. */
  readonly roleSecrets: Readonly<Record<string, string>>;
  readonly signingSecret: string;
}

/** Reads from the environment of the migration runner which secret is which: it is the one function that gets all of them. */
export function readContractArns(deployment: Deployment, migrationRunnerArn: string): ContractArns {
  const { environment } = findFunction(deployment, migrationRunnerArn);
  const logins = clusters.parse(JSON.parse(environment[environmentKeys.clusters] ?? '{}'));
  return {
    clusters: Object.fromEntries(Object.entries(logins).map(([name, { resourceArn }]) => [name, resourceArn])),
    roleSecrets: byName.parse(JSON.parse(environment[environmentKeys.roleSecretArns] ?? '{}')),
    signingSecret: environment[environmentKeys.signingSecretArn] ?? '',
  };
}
