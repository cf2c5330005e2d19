import { expect, test } from 'vitest';
import { capabilityClaims, mintCapability, parseSigningKeys } from '../../../shared/tenancy/index.ts';

const secret = 'a'.repeat(32);

test('The first of several keys signs; a single key may stand alone', () => {
  const several = parseSigningKeys(
    JSON.stringify({
      keys: [
        { keyId: 'k2', secret },
        { keyId: 'k1', secret: 'b'.repeat(40) },
      ],
    }),
  );
  expect(several.map(({ keyId }) => keyId)).toEqual(['k2', 'k1']);
  const [single] = parseSigningKeys(JSON.stringify({ keyId: 'k1', secret }));
  expect(single).toEqual({ keyId: 'k1', secret: new TextEncoder().encode(secret) });
});

test.each([
  'no json',
  '{}',
  '{"keys":[]}',
  `{"keyId":"k1","secret":"${'s'.repeat(31)}"}`,
  `{"keyId":"K.1","secret":"${'s'.repeat(32)}"}`,
])('A malformed secret is refused without being quoted: %s', (text) => {
  expect(() => parseSigningKeys(text)).toThrow('The signing secret must be JSON');
  expect(() => parseSigningKeys(text)).not.toThrow(/sss/);
});

test('A capability says version, key, tenant and expiry, and is signed over all of it', () => {
  const key = { keyId: 'k1', secret: new TextEncoder().encode(secret) };
  expect(mintCapability(key, 'acme', 1_800_000_000.9)).toMatch(/^v1\.k1\.acme\.1800000000\.[\w-]{43}$/);
  const macOf = (capability: string) => capability.split('.').at(-1);
  const macs = [
    mintCapability(key, 'acme', 1),
    mintCapability(key, 'acme', 2),
    mintCapability(key, 'globex', 1),
    mintCapability({ ...key, keyId: 'k2' }, 'acme', 1),
    mintCapability({ ...key, secret: new TextEncoder().encode('b'.repeat(32)) }, 'acme', 1),
  ].map(macOf);
  expect(new Set(macs).size).toBe(macs.length);
});

test('The claims of a capability can be read, and of what is none nothing can be', () => {
  const key = { keyId: 'k1', secret: new TextEncoder().encode(secret) };
  expect(capabilityClaims(mintCapability(key, 'acme', 1_800_000_000))).toEqual({
    tenantId: 'acme',
    expiresAt: 1_800_000_000,
  });
  for (const text of ['', 'v1.k1', 'acme']) expect(capabilityClaims(text)).toEqual({ tenantId: '', expiresAt: NaN });
});
