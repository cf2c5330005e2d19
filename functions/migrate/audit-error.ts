import type { Finding } from '../../shared/database/audit.ts';

/** A deployment's error is read in a console, where more than this is no help. */
const shownFindings = 20;

/** The database that a deployment made, or found, lets tenants reach each other. */
export class AuditError extends Error {
  readonly findings: readonly Finding[];

  constructor(database: string, findings: readonly Finding[]) {
    const lines = findings.slice(0, shownFindings).map((finding) => `  class ${finding.class}  ${describe(finding)}`);
    const more = findings.length - lines.length;
    super(
      [
        `The audit of ${database} found ${findings.length === 1 ? 'a way' : `${findings.length} ways`} around row-level security:`,
        ...lines,
        ...(more > 0 ? [`  and ${more} more`] : []),
        'Mend them in a migration, or with the statement given, and deploy again. docs/security.md describes the classes.',
      ].join('\n'),
    );
    this.name = 'AuditError';
    this.findings = findings;
  }
}

function describe({ object, problem, remedy }: Finding): string {
  const [firstLine = ''] = remedy.split('\n');
  return `${object}: ${problem}  ${firstLine}${firstLine === remedy ? '' : ' …'}`;
}
