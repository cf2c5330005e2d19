import { audit } from '../../shared/database/audit.ts';
import { defineCommand } from '../command.ts';
import { inParallel } from '../in-parallel.ts';
import { databasesAtOnce, databasesOf, defaultDataDir, type StackDatabase } from '../stack.ts';
import { formatFindings, type LocatedFinding } from '../terminal/format-findings.ts';
import { print } from '../terminal/print.ts';

/** `tenant audit` */
export const auditCommand = defineCommand({
  summary: 'find ways around row-level security',
  description: `Looks up every known way around row-level security in the databases of the local stack. docs/security.md describes the classes.
Exits with 0 when nothing was found, 1 when something was, 2 when it could not look.`,
  options: {
    json: { help: 'findings as JSON, which is also what they are when the output is no terminal' },
    data: { value: 'DIR', help: `folder of the stack's data (default ${defaultDataDir})` },
  },
  failureCode: 2,
  async run({ options: { json, data = defaultDataDir } }) {
    const all = await inParallel(databasesAtOnce, await databasesOf(data), findingsOf);
    const findings = all.flat();
    print(findings, json, (found, { paint }) => formatFindings(found, paint));
    return findings.length > 0 ? 1 : 0;
  },
});

async function findingsOf({ cluster, database, execute, isThere }: StackDatabase): Promise<LocatedFinding[]> {
  try {
    return (await audit(execute)).map((finding) => ({ cluster, database, ...finding }));
  } catch (error) {
    // Its tenant has left meanwhile.
    if (!(await isThere())) return [];
    throw error;
  }
}
