import { describe, expect, it } from 'vitest';
import { authorizerCacheSeconds } from '../../../shared/contract/index.ts';
import { MovedTenants } from '../../../shared/database/moved-tenants.ts';
import type { Placement, TenantContext } from '../../../shared/tenancy/index.ts';

const pool: Placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' };
const bridge: Placement = { ...pool, model: 'bridge', schema: 't_acme' };
const context = (tenantId: string, placement = pool): TenantContext => ({
  ...{ tenantId, placement, plan: 'free', userId: 'u', roles: [], capability: 'c' },
});

describe('tenants that have moved', () => {
  it('are found by requests that name their former home, and by nobody else', () => {
    const moved = new MovedTenants();
    moved.add(context('acme'), bridge);
    expect(moved.find(context('acme'))).toEqual(bridge);
    expect(moved.find(context('acme', bridge))).toBeUndefined();
    expect(moved.find(context('globex'))).toBeUndefined();
  });

  it('are forgotten when they are back', () => {
    const moved = new MovedTenants();
    moved.add(context('acme'), bridge);
    moved.add(context('acme'), pool);
    expect(moved.find(context('acme'))).toBeUndefined();
  });

  it('are known for as long as an authorizer may name their former home', () => {
    let now = 1_000;
    const moved = new MovedTenants(() => now);
    moved.add(context('acme'), bridge);
    now += authorizerCacheSeconds * 1_000 - 1;
    expect(moved.find(context('acme'))).toEqual(bridge);
    now += 1;
    expect(moved.find(context('acme'))).toBeUndefined();
  });

  it('are a thousand at most, the last ones', () => {
    const moved = new MovedTenants();
    for (let n = 0; n < 5_000; n += 1) moved.add(context(`tenant-${n}`), bridge);
    const known = Array.from({ length: 5_000 }, (_, n) => n).filter((n) => moved.find(context(`tenant-${n}`)));
    expect(known).toEqual(Array.from({ length: 1_000 }, (_, n) => 4_000 + n));
  });
});
