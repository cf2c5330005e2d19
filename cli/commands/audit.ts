import { mainDatabase } from '../../shared/contract/index.ts';
import { audit, type Finding } from '../../shared/database/audit.ts';
import {
  compareHomes,
  type DistantDatabase,
  findHomeless,
  findLeftHomes,
} from '../../shared/database/compare-homes.ts';
import { defineCommand } from '../command.ts';
import { inParallel } from '../in-parallel.ts';
import { databasesAtOnce, databasesOf, defaultDataDir, holdsRegistry, type StackDatabase } from '../stack.ts';
import { formatFindings, type LocatedFinding } from '../terminal/format-findings.ts';
import { print } from '../terminal/print.ts';

/** `tenant audit` */
export const auditCommand = defineCommand({
  summary: 'find ways around row-level security',
  description: `Looks up every known way around row-level security in the databases of the local stack, and compares who is at home in each
with the registry. docs/security.md describes the classes.
Exits with 0 when nothing was found, 1 when something was, 2 when it could not look.`,
  options: {
    json: { help: 'findings as JSON, which is also what they are when the output is no terminal' },
    data: { value: 'DIR', help: `folder of the stack's data (default ${defaultDataDir})` },
  },
  failureCode: 2,
  async run({ options: { json, data = defaultDataDir } }) {
    const databases = await databasesOf(data);
    const registry = databases.find(holdsRegistry);
    const each = await inParallel(databasesAtOnce, databases, (database) => findingsOf(database, registry));
    const findings = [...each.flat(), ...(registry ? await findWhereabouts(databases, registry) : [])];
    print(findings, json, (found, { paint }) => formatFindings(found, paint));
    return findings.length > 0 ? 1 : 0;
  },
});

/** Where the registry is, the audit itself compares it with who is at home. */
async function findingsOf(database: StackDatabase, registry: StackDatabase | undefined): Promise<LocatedFinding[]> {
  try {
    const findings = await audit(database.execute);
    const homes = registry && registry !== database ? await compareHomes(registry.execute, database) : [];
    return locate(database, [...findings, ...homes]);
  } catch (error) {
    // Its tenant has left meanwhile.
    if (!(await database.isThere())) return [];
    throw error;
  }
}

/** What no audit of a database can see: tenants who are at home in one that was theirs alone before, or nowhere. */
async function findWhereabouts(
  databases: readonly StackDatabase[],
  registry: StackDatabase,
): Promise<LocatedFinding[]> {
  const clusters = databases
    .filter(({ database }) => database === mainDatabase)
    .map(({ cluster, executeIn }) => ({ cluster, open: (database = mainDatabase) => executeIn(database) }));
  const left = await findLeftHomes(registry.execute, clusters);
  return [
    ...locate(registry, await findHomeless(registry.execute, databases)),
    ...left.flatMap((each) => locate(each, each.findings)),
  ];
}

const locate = (
  { cluster, database }: Pick<DistantDatabase, 'cluster' | 'database'>,
  findings: readonly Finding[],
): LocatedFinding[] => findings.map((finding) => ({ cluster, database, ...finding }));
