import { expect, it } from 'vitest';
import { isLost } from '../../../cli/api/migrations.ts';

it('a run is lost when nothing was written of it for longer than a call of the runner takes', () => {
  const updatedAt = '2026-12-01T04:00:00+00:00';
  const at = (clock: string) => Date.parse(`2026-12-01T${clock}Z`);
  expect(isLost({ state: 'running', updatedAt }, at('04:19:59'))).toBe(false);
  expect(isLost({ state: 'running', updatedAt }, at('04:20:01'))).toBe(true);
  expect(isLost({ state: 'failed', updatedAt }, at('09:00:00'))).toBe(false);
});
