import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { operationEvents } from '../../../shared/control/operations-events.ts';
import { documentedEvents } from '../../helpers/documented-events.ts';
import { applyDiff, blocksOf } from '../../helpers/markdown.ts';
import { typeErrorsOf } from '../../helpers/type-check.ts';

const blocks = blocksOf(readFileSync('docs/events.md', 'utf8'));

describe('docs/events.md', () => {
  it('describes exactly the events of operations', () => {
    const types = Object.values(operationEvents).flatMap((events) => (events ? Object.values(events) : []));
    expect([...documentedEvents().keys()].sort()).toEqual(types.sort());
  });

  it('has an example of each with what every event has, and an error in that of a failure', () => {
    const every = z.looseObject({
      id: z.uuid(),
      tenantId: z.string(),
      operationId: z.uuid(),
      sequence: z.int().min(1),
      at: z.iso.datetime({ offset: true }),
    });
    for (const [type, example] of documentedEvents()) {
      expect(every.safeParse(example).error, type).toBeUndefined();
      expect('error' in example, type).toBe(type.endsWith('Failure'));
    }
  });

  it('shows code that compiles, and is put where it says', () => {
    const texts = Object.fromEntries(
      blocks.flatMap(({ file, language, text }) => {
        if (file === undefined) return [];
        return [[file, language === 'diff' ? applyDiff(readFileSync(file, 'utf8'), text) : text]];
      }),
    );
    expect(Object.keys(texts)).toHaveLength(5);
    expect(texts['functions/operations/onboard.ts']).toMatch(/\n {2}makeWebhookSecret,\n {2}\{\n {4}name: 'open-/);
    expect(texts['functions/operations/offboard.ts']).toMatch(/\n {2}removeWebhookSecret,\n {2}\{\n {4}name: 'purge-/);
    expect(typeErrorsOf(texts)).toEqual([]);
    expect(typeErrorsOf({ 'functions/operations/wrong.ts': `import './nowhere.ts';` })).toHaveLength(1);
  }, 120_000);
});
