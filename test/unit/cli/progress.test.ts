import { describe, expect, it } from 'vitest';
import type { Operation } from '../../../cli/api/operations.ts';
import { formatOperation } from '../../../cli/terminal/format-operation.ts';
import { lineProgress, liveProgress, progressLine } from '../../../cli/terminal/progress.ts';
import { widthOf } from '../../../cli/terminal/printable.ts';
import { clockOf } from '../../../cli/terminal/times.ts';

const plain = (_: unknown, text: string): string => text;
const step = (name: string, state: string) => ({ name, state, startedAt: null, endedAt: null });
const operation = (changes: Partial<Operation> = {}): Operation => ({
  ...{ id: '0198c9f0-0000-7000-8000-000000000001', tenantId: 'acme', kind: 'onboard', state: 'running', actor: 'olga' },
  steps: [step('register', 'succeeded'), step('api-key', 'running'), step('open', 'pending')],
  ...{ counts: { rows: 12_345 }, percent: 40, error: null },
  ...{ createdAt: '2026-01-01T00:00:00+00:00', updatedAt: '2026-01-01T00:00:07+00:00', endedAt: null },
  ...changes,
});
const later = Date.parse('2026-01-01T00:00:07Z');
const failure = { code: 'internal', message: 'It broke.', remedy: 'Mend it.' };

describe('the progress of an operation', () => {
  it('is a bar with step, percent, time and counts', () => {
    expect(progressLine(operation(), later, 100, plain)).toBe(
      'onboard acme ████████░░░░░░░░░░░░  40 %  0:07  2/3 api-key, rows 12,345',
    );
  });

  it('says when it is being undone', () => {
    const steps = [step('register', 'undoing'), step('api-key', 'undone'), step('open', 'pending')];
    expect(progressLine(operation({ steps, error: failure }), later, 100, plain)).toContain('undoing register');
  });

  it('fits into every terminal', () => {
    for (let columns = 10; columns < 120; columns += 1) {
      expect(widthOf(progressLine(operation(), later, columns, plain)), String(columns)).toBeLessThan(columns);
    }
  });

  it('is drawn in its place on a terminal, and leaves nothing behind', () => {
    const written: string[] = [];
    const view = liveProgress({ write: (text) => written.push(text), columns: 60 }, plain);
    view.show(operation());
    view.show(operation({ percent: 60 }));
    view.end();
    expect(written.every((text) => text.startsWith('\r\u001b[2K') && !text.includes('\n'))).toBe(true);
    expect(written.at(-1)).toBe('\r\u001b[2K');
  });

  it('is a line a step elsewhere, once each', () => {
    const written: string[] = [];
    const view = lineProgress({ write: (text) => written.push(text) });
    view.show(operation());
    view.show(operation());
    view.show(operation({ steps: ['register', 'api-key', 'open\u001b[2J'].map((name) => step(name, 'succeeded')) }));
    view.end();
    expect(written).toEqual([
      'onboard acme: register succeeded (1 of 3)\n',
      'onboard acme: api-key succeeded (2 of 3)\n',
      'onboard acme: open?[2J succeeded (3 of 3)\n',
    ]);
  });

  it('is told with every step, and with what to do when it has failed', () => {
    const failed = operation({ state: 'failed', error: failure, endedAt: '2026-01-01T01:02:03+00:00', counts: {} });
    const lines = formatOperation(failed, { paint: plain, columns: 80 }).split('\n');
    expect(lines).toContain('Done       40 %, 1:02:03 since 2026-01-01 00:00');
    expect(lines).toContain('Error      It broke. [internal]');
    expect(lines).toContain('Remedy     Mend it.');
    expect(lines.slice(-5)).toEqual([
      'STEP      STATE      TOOK',
      'register  succeeded  ',
      'api-key   running    ',
      'open      pending    ',
      '3 steps',
    ]);
  });

  it.each([
    [0, '0:00'],
    [59_999, '0:59'],
    [3_600_000, '1:00:00'],
    [-5, '0:00'],
  ])('takes a time that is read like a clock: %d ms', (ms, clock) => expect(clockOf(ms)).toBe(clock));
});
