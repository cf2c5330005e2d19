import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import {
  currentRequestRecord,
  recordDatabaseQuery,
  requestMetricsPublisher,
  runWithRequestRecord,
} from '../../../shared/metrics/index.ts';
import { runWithTenant } from '../../../shared/tenancy/index.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

/** The query by which docs/events.md bills usage: what it wants of a line, what it adds up, and by what. */
function documentedQuery(): { wanted: string[]; summed: string[]; by: string[] } {
  const [text = ''] = /^ *filter ispresent[^`]*/m.exec(readFileSync('docs/events.md', 'utf8')) ?? [];
  const all = (pattern: RegExp): string[] => [...text.matchAll(pattern)].map(([, name = '']) => name);
  const [, by = ''] = /\bby (.*)$/m.exec(text) ?? [];
  const names = by.split(',').map((name) => name.trim());
  return {
    wanted: all(/ispresent\((\w+)\)/g),
    summed: all(/sum\((\w+)\)/g),
    by: names.filter((name) => !name.includes('(')),
  };
}

test('The usage query of docs/events.md counts each request once, with its time in the database, by tenant and plan', () => {
  const lines = captureJsonLines();
  const publish = requestMetricsPublisher('projects');
  const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
  for (const [tenantId, queries] of [
    ['acme', 0],
    ['acme', 2],
    ['globex', 3],
  ] as const) {
    const tenant = { tenantId, plan: 'pro', placement, userId: 'u', roles: [], capability: 'secret' } as const;
    runWithRequestRecord(`request-of-${tenantId}`, () =>
      runWithTenant(tenant, () => {
        const record = currentRequestRecord();
        if (!record) throw new Error('There is no record.');
        record.route = 'GET /projects';
        for (let query = 0; query < queries; query += 1) recordDatabaseQuery({ operation: 'select', durationMs: 2 });
        publish(record, 200);
      }),
    );
  }

  const { wanted, summed, by } = documentedQuery();
  const sums: Record<string, number[]> = {};
  for (const line of lines.filter((each) => wanted.every((name) => each[name] !== undefined))) {
    const group = (sums[by.map((name) => String(line[name])).join(' ')] ??= summed.map(() => 0));
    // As Logs Insights adds up what a field has, one value or several.
    summed.forEach(
      (name, n) => (group[n] = [line[name]].flat().reduce<number>((sum, x) => sum + Number(x), group[n] ?? 0)),
    );
  }
  expect(wanted).toHaveLength(2);
  expect(sums).toEqual({ 'acme pro': [2, 4], 'globex pro': [1, 6] });
});
