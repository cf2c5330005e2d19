import { describe, expect, it } from 'vitest';
import { formatFindings, type LocatedFinding } from '../../../cli/terminal/format-findings.ts';

const finding = (changes: Partial<LocatedFinding> = {}): LocatedFinding => ({
  cluster: 'main',
  database: 'tenantry',
  class: 1,
  severity: 'error',
  object: 'pool.leads',
  problem: 'Row-level security is off.',
  remedy: `select tenancy.protect('pool.leads')`,
  ...changes,
});
const plain = (_: unknown, text: string): string => text;
const marked = (format: unknown, text: string): string => `<${String(format)}>${text}</>`;

describe('findings on a terminal', () => {
  it('stand in columns, with what leaks and what mends it below', () => {
    const warning = finding({ class: 21, severity: 'warning', object: 'pool.due on pool.tasks', problem: 'Slow.' });
    expect(formatFindings([finding(), warning], plain)).toBe(
      [
        'SEVERITY  CLASS  OBJECT',
        'error         1  pool.leads  tenantry on main',
        '                 Row-level security is off.',
        `                 select tenancy.protect('pool.leads')`,
        '',
        'warning      21  pool.due on pool.tasks  tenantry on main',
        '                 Slow.',
        `                 select tenancy.protect('pool.leads')`,
        '',
        '1 error, 1 warning',
      ].join('\n'),
    );
  });

  it('are coloured by severity', () => {
    expect(formatFindings([finding()], marked)).toContain('<red>error   </>');
    expect(formatFindings([finding({ severity: 'warning' })], marked)).toContain('<yellow>warning </>');
  });

  it('show the first line of a long remedy', () => {
    const text = formatFindings([finding({ remedy: 'create or replace function\n  body' })], plain);
    expect(text).toContain('create or replace function … (--json has all of it)');
    expect(text).not.toContain('body');
  });

  it('are one line when there are none', () => {
    expect(formatFindings([], marked)).toBe('<green>No way around row-level security found.</>');
  });
});
