import type { Finding } from '../../shared/database/audit.ts';
import type { Paint } from './paint.ts';

/** A finding, and where. */
export interface LocatedFinding extends Finding {
  readonly cluster: string;
  readonly database: string;
}

const colours = { error: 'red', warning: 'yellow' } as const;

/** A table for a terminal: three columns, and below each object what leaks and what mends it. */
export function formatFindings(findings: readonly LocatedFinding[], paint: Paint): string {
  if (findings.length === 0) return paint('green', 'No way around row-level security found.');
  const rows = findings.flatMap((finding) => {
    const indent = ' '.repeat(columnsOf('', '', '').length);
    const severity = paint(colours[finding.severity], finding.severity.padEnd(severityWidth));
    const [firstLine = '', ...more] = finding.remedy.split('\n');
    return [
      columnsOf(severity, String(finding.class), `${finding.object}  ${paint('dim', whereOf(finding))}`),
      `${indent}${finding.problem}`,
      `${indent}${paint('cyan', more.length > 0 ? `${firstLine} … (--json has all of it)` : firstLine)}`,
      '',
    ];
  });
  return [columnsOf('SEVERITY'.padEnd(severityWidth), 'CLASS', 'OBJECT'), ...rows, totalOf(findings)].join('\n');
}

const severityWidth = 8;

/** The first column comes padded, since colours have a length but no width. */
function columnsOf(severity: string, class_: string, object: string): string {
  return `${severity || ' '.repeat(severityWidth)}  ${class_.padStart(5)}  ${object}`;
}

const whereOf = ({ database, cluster }: LocatedFinding): string => `${database} on ${cluster}`;

function totalOf(findings: readonly LocatedFinding[]): string {
  const errors = findings.filter(({ severity }) => severity === 'error').length;
  const count = (n: number, word: string): string => `${n} ${word}${n === 1 ? '' : 's'}`;
  return `${count(errors, 'error')}, ${count(findings.length - errors, 'warning')}`;
}
