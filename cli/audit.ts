import { parseArgs, styleText } from 'node:util';
import { audit } from '../shared/database/audit.ts';
import type { Command } from './command.ts';
import { formatFindings, type LocatedFinding } from './format-findings.ts';
import { databasesOf, defaultDataDir } from './stack.ts';

const usage = `usage: npm run -s tenant -- audit [--json] [--data DIR]

Looks up every known way around row-level security in the databases of the local stack. docs/security.md describes the classes.

  --json      findings as JSON, which is also what they are when the output is no terminal
  --data DIR  folder of the stack's data (default ${defaultDataDir})

Exits with 0 when nothing was found, 1 when something was, 2 when it could not look.`;

/** `tenant audit` */
export const auditCommand: Command = {
  summary: 'find ways around row-level security',
  usage,
  async run(args) {
    const { values } = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean', default: false }, data: { type: 'string', default: defaultDataDir } },
    });
    const findings: LocatedFinding[] = [];
    const databases = await databasesOf(values.data);
    for (const { cluster, database, execute } of databases) {
      findings.push(...(await audit(execute)).map((finding) => ({ cluster, database, ...finding })));
    }
    if (values.json || !process.stdout.isTTY) console.log(JSON.stringify(findings, null, 2));
    else console.log(formatFindings(findings, styleText));
    return findings.length > 0 ? 1 : 0;
  },
};
