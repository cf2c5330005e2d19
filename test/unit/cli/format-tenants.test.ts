import { describe, expect, it } from 'vitest';
import { formatTenant, formatTenants } from '../../../cli/terminal/format-tenants.ts';
import type { Tenant } from '../../../cli/api/tenants.ts';

const tenant = (changes: Partial<Tenant> = {}): Tenant => ({
  tenantId: 'acme',
  name: 'Acme',
  plan: 'enterprise',
  limits: null,
  state: 'active',
  placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
  createdAt: '2026-11-23T16:28:38.52657+00:00',
  updatedAt: '2026-11-24T00:00:00+00:00',
  ...changes,
});
const plain = (_: unknown, text: string): string => text;
const shown = { paint: plain, columns: 200 };
const marked = (format: unknown, text: string): string => `<${String(format)}>${text}</>`;

describe('tenants on a terminal', () => {
  it('stand in columns as wide as what is in them', () => {
    const umbrella = tenant({ tenantId: 'umbrella', name: 'U', plan: 'free', state: 'suspended' });
    expect(formatTenants([tenant(), umbrella], shown).split('\n')).toEqual([
      'TENANT    NAME  PLAN        STATE      MODEL  HOME                CREATED',
      'acme      Acme  enterprise  active     pool   main/tenantry/pool  2026-11-23 16:28',
      'umbrella  U     free        suspended  pool   main/tenantry/pool  2026-11-23 16:28',
      '2 tenants',
    ]);
  });

  it('show their state by a colour, in which padding does not count', () => {
    const states = ['active', 'suspended', 'onboarding'].map((state) => tenant({ state }));
    const [, active, suspended, onboarding] = formatTenants(states, { ...shown, paint: marked }).split('\n');
    expect(active).toContain('<green>active    </>');
    expect(suspended).toContain('<yellow>suspended </>');
    expect(onboarding).toContain('<cyan>onboarding</>');
  });

  it('say so when there are none', () => {
    expect(formatTenants([], shown)).toBe('No tenants.');
  });

  it('are shown one by one with every field', () => {
    expect(formatTenant(tenant(), plain).split('\n')).toEqual([
      'Tenant   acme',
      'Name     Acme',
      'Plan     enterprise',
      'State    active',
      'Model    pool',
      'Home     main/tenantry/pool',
      'Created  2026-11-23T16:28:38.52657+00:00',
      'Updated  2026-11-24T00:00:00+00:00',
    ]);
  });

  it('are shown with the limits that are their own', () => {
    const limits = { requestsPerMinute: 1200, burst: 5, concurrentRequests: 2 };
    expect(formatTenant(tenant({ limits }), plain)).toContain(
      'Limits   1,200 requests a minute, 5 at once on top, 2 under way',
    );
    expect(formatTenant(tenant({ limits: { burst: 5 } }), plain)).toContain('Limits   5 at once on top');
  });

  it('cannot tell the terminal anything by their names', () => {
    const evil = tenant({ name: 'a\u001b[2Jb\nc\u009bd\u202e' });
    for (const text of [formatTenants([evil], shown), formatTenant(evil, plain)]) {
      expect(text).toContain('a?[2Jb?c?d?');
    }
  });
});
