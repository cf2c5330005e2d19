import { expect, test } from 'vitest';
import { environmentKeys as keys } from '../../../shared/contract/index.ts';
import { ConfigurationError, parseConfig } from '../../../shared/config/index.ts';

const issuer = { issuer: 'https://id.example.com', audience: ['app'], tenantClaim: 'tenant_id' };

test('A function gets the parts that it asks for, and needs no others to be set', () => {
  const environment = {
    [keys.clusters]: '{"main":{"resourceArn":"arn:cluster","secretArn":"arn:secret"}}',
    [keys.registry]: '{"cluster":"main","database":"tenantry"}',
  };
  expect(parseConfig(environment, ['clusters', 'registry'])).toEqual({
    clusters: { main: { resourceArn: 'arn:cluster', secretArn: 'arn:secret' } },
    registry: { cluster: 'main', database: 'tenantry' },
  });
});

test('Every problem is reported at once, with the name of the variable and what to set it to', () => {
  const environment = { [keys.clusters]: '{"main":{"resourceArn":""}}', [keys.issuers]: 'no json', [keys.stage]: '' };
  const read = () => parseConfig(environment, ['clusters', 'issuers', 'stage', 'signingSecretArn']);
  expect(read).toThrow(ConfigurationError);
  expect(read).toThrow(/TENANTRY_CLUSTERS main\.resourceArn: .*; main\.secretArn: .*Set it to JSON by cluster name/);
  expect(read).toThrow(/TENANTRY_ISSUERS is not JSON\. Set it to a JSON list/);
  expect(read).toThrow(/TENANTRY_STAGE is empty/);
  expect(read).toThrow(/TENANTRY_SIGNING_SECRET_ARN is not set/);
});

test('A message never repeats the value of a variable', () => {
  const read = () => parseConfig({ [keys.cacheUrl]: 'http://:hunter2@cache' }, ['cacheUrl']);
  expect(read).toThrow(/TENANTRY_CACHE_URL/);
  expect(read).not.toThrow(/hunter2/);
});

test('An issuer has sensible defaults', () => {
  const { issuers } = parseConfig({ [keys.issuers]: JSON.stringify([issuer]) }, ['issuers']);
  expect(issuers).toEqual([{ ...issuer, audienceClaim: 'aud', tokenUse: 'at+jwt' }]);
});

test.each(['http://localhost:9000', 'http://127.0.0.1:9000/jwks', 'http://[::1]:9000', 'https://id.example.com'])(
  'Keys of an issuer may come from %s',
  (jwksUri) => {
    const read = () => parseConfig({ [keys.issuers]: JSON.stringify([{ ...issuer, jwksUri }]) }, ['issuers']);
    expect(read).not.toThrow();
  },
);

test.each([
  'http://id.example.com',
  'http://127.0.0.1.example.com',
  'http://localhost.example.com',
  'file:///etc/keys',
])('Keys of an issuer may not come from %s', (jwksUri) => {
  const read = () => parseConfig({ [keys.issuers]: JSON.stringify([{ ...issuer, jwksUri }]) }, ['issuers']);
  expect(read).toThrow(/must be an https URL/);
});

test('Requests go on without the cache unless that is set otherwise', () => {
  const read = (text?: string) =>
    parseConfig(text === undefined ? {} : { [keys.limitsWhenUnavailable]: text }, ['limitsWhenUnavailable'])
      .limitsWhenUnavailable;
  expect([read(), read('open'), read('closed')]).toEqual(['open', 'open', 'closed']);
  expect(() => read('ajar')).toThrow(/neither open nor closed.*Set it to open or closed/);
});

test('Base domains are none unless set', () => {
  expect(parseConfig({}, ['baseDomains'])).toEqual({ baseDomains: [] });
  expect(parseConfig({ [keys.baseDomains]: '["api.example.com"]' }, ['baseDomains']).baseDomains).toEqual([
    'api.example.com',
  ]);
});
