import { describe, expect, it } from 'vitest';
import { formatPlan, formatProgress, formatStatus } from '../../../cli/terminal/format-fleet.ts';
import { describeReport, failuresByCause } from '../../../shared/database/fleet-error.ts';

const plain = (_: unknown, text: string): string => text;
const at = { cluster: 'main', database: 'tenantry' };
const done = {
  version: '003',
  applied: 3,
  lacks: 1,
  missing: ['004'],
  withdrawn: [],
  failed: null,
  sqlstate: null,
  error: null,
  failed_at: null,
};

describe('a fleet on a terminal', () => {
  it('shows what would run where, and what stands in the way', () => {
    const plan = {
      placements: 300,
      upToDate: 1,
      steps: [
        { version: '004', mode: 'transaction' as const, placements: 299, first: ['a', 'b', 'c'] },
        { version: '005', mode: 'alone' as const, placements: 1, first: ['a\u001b[2J'] },
      ],
      canaries: ['a', 'b'],
      edited: [{ version: '001', placements: 2, first: ['a', 'b'], editions: ['x'] }],
      withdrawn: [{ version: '009', placements: 4, first: ['a', 'b', 'c'] }],
    };
    expect(formatPlan({ ...at, plan }, plain).split('\n')).toEqual([
      'tenantry on main',
      '  1 of 300 placements have everything.',
      '  004  in 299: a, b, c, …',
      '  005  in 1: a?[2J  no transaction',
      '  First: a, b',
      '  001 was changed after it had been applied in 2: a, b',
      '  009 has no file here. It was applied in 4: a, b, c, …, and runs in no other.',
    ]);
  });

  it('shows placements by version, the newest first, and failures by cause', () => {
    const failed = { failed: '004', sqlstate: '22012', failed_at: '2026-01-01' };
    const placements = [
      { ...done, placement: 'a', version: '004', lacks: 0, missing: [], withdrawn: ['002'] },
      { ...done, placement: 'd', version: '004', lacks: 40, missing: ['0001', '0002', '0003', '0005'] },
      { ...done, placement: 'b', ...failed, error: 'Migration 004 of b failed: no' },
      { ...done, placement: 'c', ...failed, error: 'Migration 004 of c failed: no' },
    ];
    expect(formatStatus({ ...at, placements }, plain).split('\n')).toEqual([
      'tenantry on main',
      '  004 without 0001, 0002, 0003, … (40)  1: d',
      '  004  1: a',
      '  003 without 004  2: b, c',
      '  002 was withdrawn, but stands in 1: a',
      '  004 failed in 2: b, c',
      '    Migration 004 of <schema> failed: no',
    ]);
  });

  it('shows why a database cannot be looked at', () => {
    const error = 'The database tenantry on main refused: no';
    const lines = ['tenantry on main', `  ${error}`].join('\n');
    expect(formatPlan({ ...at, error }, plain)).toBe(lines);
    expect(formatStatus({ ...at, error }, plain)).toBe(lines);
  });

  it('shows how far it is, and how much has failed', () => {
    expect(formatProgress({ placements: 300, done: 0, failed: 0 })).toBe(`${'░'.repeat(30)} 0 of 300`);
    expect(formatProgress({ placements: 300, done: 140, failed: 10 })).toBe(
      `${'█'.repeat(15)}${'░'.repeat(15)} 140 of 300, 10 failed`,
    );
    expect(formatProgress({ placements: 2, done: 3, failed: 0 })).toBe(`${'█'.repeat(30)} 3 of 2`);
  });
});

describe('failures', () => {
  const failure = (placement: string, error: string, sqlstate = '22012') => ({
    database: 'main',
    placement,
    version: '004',
    sqlstate,
    error,
  });

  it('are summed up by cause, whatever the names of their placements, the most frequent first', () => {
    const failures = [failure('a1', 'a1 broke', '42P01'), failure('b1', 'In b1.x: no'), failure('c1', 'In c1.x: no')];
    expect(failuresByCause(failures)).toEqual([
      { version: '004', sqlstate: '22012', error: 'In <schema>.x: no', placements: ['b1', 'c1'] },
      { version: '004', sqlstate: '42P01', error: '<schema> broke', placements: ['a1'] },
    ]);
  });

  it('are told with what to do', () => {
    const report = { placements: 3, done: 2, failed: 1, failures: [failure('b', 'no')], stopped: 'budget' as const };
    expect(describeReport(report).split('\n')).toEqual([
      '2 of 3 placements migrated, 1 failed. Too many failed, so the rest was left alone.',
      '  004  1 placement: b',
      '    no (22012)',
      'Nothing is half-applied. Run it again when the cause is mended: only what is not done runs.',
    ]);
    // Of very many a report has the first.
    expect(describeReport({ ...report, failed: 101 }).split('\n')).toEqual(
      expect.arrayContaining([expect.stringContaining('101 failed'), '  and 100 more']),
    );
    expect(describeReport({ placements: 0, done: 0, failed: 0, failures: [], stopped: undefined })).toBe(
      '0 of 0 placements migrated, 0 failed.',
    );
  });
});
