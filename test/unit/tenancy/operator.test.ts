import { setTimeout } from 'node:timers/promises';
import { expect, test } from 'vitest';
import {
  currentOperator,
  currentTenant,
  enterOperator,
  enterTenant,
  runInTenantScope,
} from '../../../shared/tenancy/index.ts';

const placement = { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' } as const;
const tenant = { tenantId: 'acme', plan: 'free', placement, userId: 'ann', roles: [], capability: 'c' } as const;

test('Without an operator, asking for them raises an error that says what is missing', () => {
  const message = 'No operator context set. Did you forget the operatorContext middleware?';
  expect(() => currentOperator()).toThrow(message);
  expect(() => runInTenantScope(() => currentOperator())).toThrow(message);
  runInTenantScope(() => {
    enterTenant(tenant);
    expect(() => currentOperator()).toThrow(message);
  });
});

test('A scope keeps its operator across awaits, frozen, and loses them at its end', async () => {
  await runInTenantScope(async () => {
    enterOperator({ operatorId: 'olga' });
    await setTimeout(1);
    expect(currentOperator()).toEqual({ operatorId: 'olga' });
    expect(() => ((currentOperator() as { operatorId: string }).operatorId = 'otto')).toThrow(TypeError);
  });
  expect(() => currentOperator()).toThrow('No operator context set');
});

test('One request, one who asks: nobody else enters afterwards', () => {
  expect(() => enterOperator({ operatorId: 'olga' })).toThrow('There is no scope');
  runInTenantScope(() => {
    enterOperator({ operatorId: 'olga' });
    expect(() => enterOperator({ operatorId: 'otto' })).toThrow('Somebody asks already');
    expect(() => enterTenant(tenant)).toThrow('An operator asks already');
    expect(() => currentTenant()).toThrow('No tenant context set');
  });
  runInTenantScope(() => {
    enterTenant(tenant);
    expect(() => enterOperator({ operatorId: 'olga' })).toThrow('Somebody asks already');
  });
});
