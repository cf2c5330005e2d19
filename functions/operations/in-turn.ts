import type { Turn } from '../../shared/control/index.ts';
import type { Ports } from './ports.ts';

/**
 * Ports of which those that know of no turn are asked only right after the registry has said that nobody else goes on with the operation.
 * Homes and the registry compare the turn themselves, in one transaction with what they change. A cache that is emptied, a file that is
 * written once and authorizers that look again do no harm late.
 */
export function portsInTurn(ports: Ports, turn: Omit<Turn, 'tenantId'>): Ports {
  const { registry, apiKeys, databases, secrets } = ports;
  const first =
    <Parameters extends readonly unknown[], Answer>(call: (...parameters: Parameters) => Promise<Answer>) =>
    async (...parameters: Parameters): Promise<Answer> => {
      await registry.requireTurn(turn);
      return call(...parameters);
    };
  return {
    ...ports,
    apiKeys: {
      ensure: first((tenantId, plan) => apiKeys.ensure(tenantId, plan)),
      move: first((tenantId, fromPlan, toPlan) => apiKeys.move(tenantId, fromPlan, toPlan)),
      findSpare: (tenantId, plan) => apiKeys.findSpare(tenantId, plan),
      removeSpare: first((tenantId, plan) => apiKeys.removeSpare(tenantId, plan)),
      remove: first((tenantId) => apiKeys.remove(tenantId)),
      find: (tenantId) => apiKeys.find(tenantId),
    },
    databases: {
      make: first((home) => databases.make(home)),
      drop: first((home) => databases.drop(home)),
    },
    secrets: {
      find: (tenantId) => secrets.find(tenantId),
      ensure: first((tenantId, name) => secrets.ensure(tenantId, name)),
      remove: first((tenantId, name) => secrets.remove(tenantId, name)),
    },
  };
}
