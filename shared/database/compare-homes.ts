import * as z from 'zod';
import { type PlacementModel, placementModels } from '../contract/index.ts';
import type { Finding } from './audit.ts';
import type { Execute } from './migrator.ts';

/** A database that the registry is not in, and a way to run statements there as the owner of the kernel. */
export interface DistantDatabase {
  readonly cluster: string;
  readonly database: string;
  readonly execute: Execute;
}

const residentSchema = z
  .tuple([z.string(), z.string(), z.string()])
  .transform(([tenantId, schema, state]) => ({ tenantId, schema, state }));
type Resident = Readonly<z.output<typeof residentSchema>>;

/** Rows a call: a response of the Data API ends at 1 MiB. */
const pageSize = 2_000;

/**
 * Where the registry and a database that it is not in disagree on who lives there: class 33, as `tenancy.audit` finds it where the registry
 * is. A tenant with a home in two databases is found in the one that the registry does not name.
 *
 * @param registry runs statements as the owner, where the registry is
 */
export async function compareHomes(registry: Execute, database: DistantDatabase): Promise<readonly Finding[]> {
  const first = await compareOnce(registry, database);
  if (first.length === 0) return first;
  // Tenants come and go while both are read. What is wrong is so a second time.
  const again = (await compareOnce(registry, database)).map(({ problem, object }) => object + problem);
  return first.filter(({ problem, object }) => again.includes(object + problem));
}

async function compareOnce(registry: Execute, database: DistantDatabase): Promise<readonly Finding[]> {
  const placed = await readAll(database.execute, "tenancy.placements where state <> 'moved'");
  const registered = await readAll(registry, 'registry.tenants where cluster = :cluster and database = :database', {
    cluster: database.cluster,
    database: database.database,
  });
  const atHome = new Set(placed.map(({ tenantId }) => tenantId));
  const places = new Set(registered.map(placeOf));
  const strangers = placed.filter((resident) => !places.has(placeOf(resident)));
  const known = strangers.length > 0 ? await readKnown(registry, strangers) : [];
  return [
    ...registered
      .filter(({ state }) => state === 'active' || state === 'suspended')
      // Who is at home in another schema of the database is a stranger there, and comes back once it has left that one.
      .filter(({ tenantId }) => !atHome.has(tenantId))
      .map(({ tenantId, schema, state }) =>
        finding(
          tenantId,
          `The registry has the tenant in the schema ${schema} of this database, where it is not at home.`,
          placement(tenantId, schema, state),
        ),
      ),
    ...strangers.map(({ tenantId, schema }) =>
      finding(
        tenantId,
        `The tenant is at home in the schema ${schema} of this database, but the registry ${known.includes(tenantId) ? 'has it elsewhere' : 'does not know it'}.`,
        placement(tenantId, schema, 'moved'),
      ),
    ),
  ];
}

const placeOf = ({ tenantId, schema }: Resident): string => `${tenantId} ${schema}`;
const quoted = (text: string): string => `'${text.replaceAll("'", "''")}'`;
const placement = (tenantId: string, schema: string, state: string): string =>
  `select tenancy.set_placement(${[tenantId, schema, state].map(quoted).join(', ')})`;
const finding = (tenantId: string, problem: string, remedy: string): Finding => ({
  class: 33,
  severity: 'error',
  object: `tenant ${tenantId}`,
  problem,
  remedy,
});

/** @param from a constant: a table of tenants with their schema and state, and a condition */
async function readAll(execute: Execute, from: string, parameters: Record<string, string> = {}): Promise<Resident[]> {
  const residents: Resident[] = [];
  for (;;) {
    const page = await execute(
      `select cast(json_build_array(tenant_id, schema, state) as text) from ${from}
       and tenant_id collate "C" > :after order by tenant_id collate "C" limit ${pageSize}`,
      { ...parameters, after: residents.at(-1)?.tenantId ?? '' },
    );
    residents.push(...page.map((row) => residentSchema.parse(JSON.parse(String(row)))));
    if (page.length < pageSize) return residents;
  }
}

/** Which of the tenants the registry knows. */
async function readKnown(registry: Execute, residents: readonly Resident[]): Promise<readonly string[]> {
  const rows = await registry(
    'select tenant_id from registry.tenants where tenant_id in (select jsonb_array_elements_text(cast(:ids as jsonb)))',
    { ids: JSON.stringify(residents.map(({ tenantId }) => tenantId)) },
  );
  return rows.map(String);
}

/** A cluster, and a way to run statements in each of its databases as the owner of the kernel. */
export interface OpenCluster {
  readonly cluster: string;
  /** @param database @default the one that tenants share */
  readonly open: (database?: string) => Execute;
}

/** A database, and what was found there. */
export interface DatabaseFindings extends Pick<DistantDatabase, 'cluster' | 'database'> {
  readonly findings: readonly Finding[];
}

/**
 * Databases that were a tenant's alone before and in which somebody is at home still, as no audit of a database can see.
 *
 * @param registry as for `compareHomes`
 */
export async function findLeftHomes(
  registry: Execute,
  clusters: readonly OpenCluster[],
): Promise<readonly DatabaseFindings[]> {
  const found: DatabaseFindings[] = [];
  for (const each of clusters) {
    for (const left of await readLeftDatabases(registry, each)) {
      const { cluster, database } = left;
      const findings = await compareHomes(registry, left);
      if (findings.length > 0) found.push({ cluster, database, findings });
    }
  }
  return found;
}

/**
 * Databases of a cluster that are called as a tenant's own and are not where the registry has that tenant: what an operation has left
 * behind, in which the tenant is not to be at home.
 */
async function readLeftDatabases(
  registry: Execute,
  { cluster, open }: OpenCluster,
): Promise<readonly DistantDatabase[]> {
  const names = await open()(
    `select cast(datname as text) from pg_database
     where starts_with(datname, 't_') and datallowconn and has_database_privilege(oid, 'connect')`,
  );
  const left = await registry(
    `select n.name from jsonb_array_elements_text(cast(:names as jsonb)) n (name)
     join registry.tenants t on n.name = tenancy.home_of(t.tenant_id)
     where not (t.cluster = :cluster and t.database = n.name)`,
    { names: JSON.stringify(names), cluster },
  );
  const databases = left.map(String).map((database) => ({ cluster, database, execute: open(database) }));
  const withKernel: DistantDatabase[] = [];
  for (const database of databases) {
    // What is called so by chance, or was never finished, has none.
    const [kernel] = await database.execute(`select cast(to_regclass('tenancy.placements') as text)`);
    if (kernel !== null) withKernel.push(database);
  }
  return withKernel;
}

/**
 * Tenants whom the registry has in another database than these, which are all that there are.
 *
 * @param registry as for `compareHomes`
 * @param models only tenants who live so
 */
export async function findHomeless(
  registry: Execute,
  databases: readonly Pick<DistantDatabase, 'cluster' | 'database'>[],
  models: readonly PlacementModel[] = placementModels,
): Promise<readonly Finding[]> {
  const rows = await registry(
    `select cast(json_build_array(t.tenant_id, t.database, t.cluster) as text) from registry.tenants t
     where t.state in ('active', 'suspended')
       and t.model in (select jsonb_array_elements_text(cast(:models as jsonb))) and not exists (
       select from jsonb_to_recordset(cast(:databases as jsonb)) d (cluster text, database text)
       where d.cluster = t.cluster and d.database = t.database
     ) order by t.tenant_id limit ${pageSize}`,
    {
      databases: JSON.stringify(databases.map(({ cluster, database }) => ({ cluster, database }))),
      models: JSON.stringify(models),
    },
  );
  return rows.map((row) => {
    const [tenantId, database, cluster] = z.tuple([z.string(), z.string(), z.string()]).parse(JSON.parse(String(row)));
    return finding(
      tenantId,
      `The registry has the tenant in the database ${database} on the cluster ${cluster}, and there is none.`,
      `-- Restore it, or offboard its tenant: tenant delete ${tenantId} --no-export.`,
    );
  });
}
