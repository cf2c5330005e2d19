import type { DatabaseRole } from '../../shared/contract/index.ts';
import { migrationConnection } from '../../shared/database/migration-connection.ts';
import type { Execute, Migrations } from '../../shared/database/migrator.ts';
import type { SigningKey } from '../../shared/tenancy/index.ts';
import type { SiloSecrets } from './silo-secrets.ts';

export interface Cluster {
  readonly name: string;
  readonly resourceArn: string;
  readonly masterSecretArn: string;
  readonly ownerSecretArn: string;
  /** The database that tenants share. */
  readonly database: string;
  /** The registry lives in one database of one cluster. */
  readonly holdsRegistry: boolean;
}

/** Where the runner says what it did. */
export interface Log {
  info(message: string, details: Record<string, unknown>): void;
  warn(message: string, details: Record<string, unknown>): void;
}

/** All that the runner works on, and with. */
export interface System {
  readonly clusters: readonly Cluster[];
  readonly migrations: Migrations;
  /** Logins of the roles that databases have in common. */
  readonly passwords: Readonly<Record<DatabaseRole, string>>;
  readonly signingKeys: readonly SigningKey[];
  /** Logins of databases that are one tenant's alone. */
  readonly siloSecrets: SiloSecrets;
  readonly log: Log;
}

/** @throws Error when the stage has no such cluster */
export function clusterNamed({ clusters }: System, name: string): Cluster {
  const cluster = clusters.find((each) => each.name === name);
  if (cluster) return cluster;
  const known = clusters.map((each) => each.name).join(', ');
  throw new Error(`There is no cluster ${JSON.stringify(name)}, only ${known}. Add it to the stage's configuration.`);
}

/** Who makes roles and databases. @param database @default the one that tenants share */
export function asMaster({ resourceArn, masterSecretArn, database: shared }: Cluster, database = shared): Execute {
  return migrationConnection({ resourceArn, secretArn: masterSecretArn, database });
}

/** Who owns all that migrations make. @param database @default the one that tenants share */
export function asOwner({ resourceArn, ownerSecretArn, database: shared }: Cluster, database = shared): Execute {
  return migrationConnection({ resourceArn, secretArn: ownerSecretArn, database });
}

export const nameOf = ({ name }: Cluster, database: string): string => `${database} on the cluster ${name}`;

/** Runs statements as the owner, where the registry is. */
export function registryOf({ clusters }: System): Execute {
  const cluster = clusters.find(({ holdsRegistry }) => holdsRegistry);
  if (!cluster) throw new Error('The registry is on no cluster of the configuration.');
  return asOwner(cluster);
}
