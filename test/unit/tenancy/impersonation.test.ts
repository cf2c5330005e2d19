import { expect, test } from 'vitest';
import { hashImpersonationToken, isForImpersonation, newImpersonationToken } from '../../../shared/tenancy/index.ts';

test('A new token is well-formed, and another one each time', () => {
  const tokens = Array.from({ length: 100 }, newImpersonationToken);
  for (const token of tokens) {
    expect(isForImpersonation(token)).toBe(true);
    expect(hashImpersonationToken(token)).toMatch(/^[0-9a-f]{64}$/);
  }
  expect(new Set(tokens).size).toBe(100);
  expect(new Set(tokens.map(hashImpersonationToken)).size).toBe(100);
});

test('What begins otherwise is no token of an impersonation', () => {
  for (const token of ['', 'eyJ', 'TNI_a', ' tni_a']) expect(isForImpersonation(token)).toBe(false);
});

test.each([
  '',
  'tni_',
  `tni_${'a'.repeat(42)}`,
  `tni_${'a'.repeat(44)}`,
  `xtni_${'a'.repeat(43)}`,
  `tni_${'a'.repeat(42)}.`,
])('The registry has no hash for what was never made: %s', (token) => {
  expect(hashImpersonationToken(token)).toBeUndefined();
});
