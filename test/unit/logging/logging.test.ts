import { expect, test } from 'vitest';
import { serviceLogger } from '../../../shared/logging/index.ts';
import { runWithRequestRecord } from '../../../shared/metrics/index.ts';
import { mintCapability, runWithTenant } from '../../../shared/tenancy/index.ts';
import { captureJsonLines } from '../../helpers/stdout.ts';

const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const capability = mintCapability(
  { keyId: 'k1', secret: new TextEncoder().encode('x'.repeat(32)) },
  'acme',
  1_800_000_000,
);
const tenant = { tenantId: 'acme', plan: 'pro' as const, placement, userId: 'ann', roles: [], capability };
const token = `eyJhbGciOiJSUzI1NiJ9.${Buffer.from('{"sub":"ann"}').toString('base64url')}.c2lnbmF0dXJl`;

test('A line carries request, tenant and user of the invocation that writes it, and none outside of one', () => {
  const lines = captureJsonLines();
  const log = serviceLogger('projects');
  runWithRequestRecord('request-1', () => runWithTenant(tenant, () => log.info('inside', { attempt: 1 })));
  log.info('outside');
  expect(lines[0]).toMatchObject({
    message: 'inside',
    service: 'projects',
    requestId: 'request-1',
    tenantId: 'acme',
    userId: 'ann',
    attempt: 1,
  });
  expect(lines[1]).not.toHaveProperty('tenantId');
  expect(lines[1]).not.toHaveProperty('requestId');
});

test('Capabilities, tokens and secrets do not reach the log, wherever they hide', () => {
  const lines = captureJsonLines();
  const cause = Object.assign(new Error(`select run('${capability}')`), {
    capability,
    nested: { Authorization: token },
  });
  const error = new Error(`Bearer ${token} was refused`, { cause });
  serviceLogger('projects').error('failed', {
    error,
    event: { headers: { authorization: `Bearer ${token}` } },
    text: capability,
  });
  const written = JSON.stringify(lines);
  expect(lines).toHaveLength(1);
  expect(written).toContain('[redacted]');
  expect(written).toContain('was refused');
  expect(written).not.toContain(capability.split('.').at(-1));
  expect(written).not.toContain('c2lnbmF0dXJl');
});
