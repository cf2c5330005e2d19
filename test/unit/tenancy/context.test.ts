import { setImmediate, setTimeout } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  currentTenant,
  currentTenantIfAny,
  enterTenant,
  NoTenantContextError,
  runInTenantScope,
  runWithTenant,
  type TenantContext,
} from '../../../shared/tenancy/index.ts';

const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const contextOf = (tenantId: string): TenantContext => ({
  tenantId,
  plan: 'free',
  placement,
  userId: `user-of-${tenantId}`,
  roles: ['member'],
  capability: `capability-of-${tenantId}`,
});

test('Without a tenant, asking for it raises an error that says what is missing', () => {
  const message = 'No tenant context set. Did you forget the tenantContext middleware?';
  expect(() => currentTenant()).toThrow(new NoTenantContextError());
  expect(() => currentTenant()).toThrow(message);
  expect(() => runInTenantScope(() => currentTenant())).toThrow(message);
  expect(currentTenantIfAny()).toBeUndefined();
});

test('A scope keeps its tenant across awaits, and loses it at its end', async () => {
  await runInTenantScope(async () => {
    enterTenant(contextOf('acme'));
    await setTimeout(1);
    expect(currentTenant().tenantId).toBe('acme');
  });
  expect(currentTenantIfAny()).toBeUndefined();
});

test('An invocation has one tenant: a second one is refused', () => {
  runInTenantScope(() => {
    enterTenant(contextOf('acme'));
    expect(() => enterTenant(contextOf('globex'))).toThrow('This invocation has a tenant already');
    expect(currentTenant().tenantId).toBe('acme');
  });
});

test('A tenant cannot be set outside of a scope, where it would stay for the next request', () => {
  expect(() => enterTenant(contextOf('acme'))).toThrow('There is no tenant scope');
});

test('The context is frozen, also inside', () => {
  const context: TenantContext = {
    ...contextOf('acme'),
    limits: { burst: 5 },
    impersonation: { id: 'an-id', actor: 'olga' },
  };
  const expectFrozen = () => {
    const tenant = currentTenant();
    expect(tenant).toEqual(context);
    expect(currentTenantIfAny()).toBe(tenant);
    for (const part of [tenant, tenant.placement, tenant.roles, tenant.limits, tenant.impersonation])
      expect(part).toSatisfy(Object.isFrozen);
  };
  runWithTenant(context, expectFrozen);
  runInTenantScope(() => {
    enterTenant(context);
    expectFrozen();
  });
});

test('A context that lacks limits and impersonation is given none', () => {
  expect(Object.keys(runWithTenant(contextOf('acme'), currentTenant))).toEqual(Object.keys(contextOf('acme')));
});

test('Interleaved invocations never see the tenant of another, also when some of them throw', async () => {
  const invocation = fc.record({ tenant: fc.integer({ min: 0, max: 9 }), awaits: fc.nat(5), throws: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(invocation, { minLength: 2, maxLength: 30 }), async (invocations) => {
      const seen = invocations.map(({ tenant, awaits, throws }) =>
        runInTenantScope(async () => {
          expect(currentTenantIfAny()).toBeUndefined();
          await setImmediate();
          enterTenant(contextOf(`tenant-${tenant}`));
          for (let step = 0; step < awaits; step += 1) {
            await (step % 2 === 0 ? setImmediate() : Promise.resolve());
            expect(currentTenant().tenantId).toBe(`tenant-${tenant}`);
          }
          if (throws) throw new Error(`tenant-${tenant}`);
          return currentTenant().tenantId;
        }).catch((error: unknown) => (error as Error).message),
      );
      expect(await Promise.all(seen)).toEqual(invocations.map(({ tenant }) => `tenant-${tenant}`));
      expect(currentTenantIfAny()).toBeUndefined();
    }),
    { seed: 20261123, numRuns: 100 },
  );
});

test('Work that an invocation leaves behind keeps its own tenant and does not reach the next', async () => {
  const late: Promise<string>[] = [];
  runInTenantScope(() => {
    enterTenant(contextOf('acme'));
    late.push(setTimeout(5).then(() => currentTenant().tenantId));
  });
  await runInTenantScope(async () => {
    enterTenant(contextOf('globex'));
    expect(await late[0]).toBe('acme');
    expect(currentTenant().tenantId).toBe('globex');
  });
});
