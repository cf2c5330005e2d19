import { expect, it } from 'vitest';
import { formatFleetRun } from '../../../cli/terminal/format-fleet-run.ts';
import type { RecordedFleetRun } from '../../../shared/fleet/index.ts';

const plain = (_: unknown, text: string): string => text;
const run: RecordedFleetRun = {
  id: 'r',
  state: 'running',
  slice: 3,
  place: 'silos all t-1',
  done: 12,
  failed: 0,
  missing: 0,
  putOff: 0,
  placements: 0,
  seen: 0,
  causes: [],
  error: null,
  actor: null,
  startedAt: '2026-12-01T04:00:10+00:00',
  // A session of another time zone.
  movedAt: '2026-12-01T06:10:00+02:00',
  updatedAt: '2026-12-01T04:20:00+00:00',
  endedAt: null,
};
const lines = (changes: Partial<RecordedFleetRun>): string[] =>
  formatFleetRun({ ...run, ...changes }, plain, Date.parse('2026-12-01T04:22:05Z')).split('\n');

it('a run that goes on is shown with how far it is, and since when nothing has moved', () => {
  expect(lines({ putOff: 2 })).toEqual([
    'Last run of the migration runner',
    '  running, begun 2026-12-01 04:00',
    '  12 placements done, 0 failed, 2 put off',
    '  Nothing has moved since 2026-12-01 04:10 (12:05).',
  ]);
});

it('a run that has ended is shown with why, and what has failed by cause', () => {
  const cause = { version: '900', sqlstate: '22012', error: 'division\u001b by zero', placements: ['a', 'b'] };
  expect(
    lines({
      state: 'stopped',
      endedAt: '2026-12-01T04:21:00+00:00',
      failed: 12,
      missing: 1,
      error: '12 of 24 placements migrated, 12 failed. Too many failed, so the rest was left alone.\nAnd more.',
      causes: [
        { ...cause, count: 9 },
        { ...cause, version: '901', count: 2 },
      ],
    }),
  ).toEqual([
    'Last run of the migration runner',
    '  stopped, begun 2026-12-01 04:00, ended 2026-12-01 04:21',
    '  12 placements done, 12 failed, 1 of them databases that are not there',
    '  12 of 24 placements migrated, 12 failed. Too many failed, so the rest was left alone.',
    '  And more.',
    '  900 failed in 9: a, b, …',
    '    division? by zero',
    '  901 failed in 2: a, b',
    '    division? by zero',
    '  and 1 more',
    '  Nothing is half-applied. Run it again when the cause is mended: only what is not done runs.',
  ]);
  expect(lines({ state: 'done', endedAt: '2026-12-01T04:21:00+00:00' })).toHaveLength(3);
  expect(lines({ actor: 'olga' })).toContain('  running, begun 2026-12-01 04:00 by olga');
});
