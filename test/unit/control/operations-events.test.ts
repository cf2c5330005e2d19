import { expect, test } from 'vitest';
import { tenantChangeEvents } from '../../../shared/contract/index.ts';
import { operationEvents } from '../../../shared/control/operations-events.ts';

/** Ends of operations after which the cache of a tenant is as right as before. */
const harmless = [
  // There was no tenant before, and is none now.
  'onboardingFailure',
  // The operation has purged the cache itself.
  'offboardingSuccess',
];

test('The cache is told of the end of every operation on a tenant, but where it makes no difference', () => {
  const ends = Object.values(operationEvents).flatMap((types) => (types ? [types.success, types.failure] : []));
  expect([...tenantChangeEvents, ...harmless].sort()).toEqual(ends.sort());
});
