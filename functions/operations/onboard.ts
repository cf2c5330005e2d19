import { restore } from './restore.ts';
import { flushAuthorizers, type Step } from './step.ts';

/** Makes a tenant of the pool, empty or from an export. Nobody is served before the last step, so there is nothing that undoing could lose. */
export const onboard: readonly Step<'onboard'>[] = [
  {
    name: 'register',
    run: ({ tenantId, input }, { registry }) => registry.register(tenantId, input),
    undo: ({ tenantId }, { registry }) => registry.forget(tenantId),
  },
  {
    name: 'place',
    run: ({ tenantId }, { placements }) => placements.place(tenantId, 'suspended'),
    undo: ({ tenantId }, { placements }) => placements.remove(tenantId),
  },
  ...restore,
  {
    name: 'make-api-key',
    run: async ({ tenantId, input }, { apiKeys, registry }) =>
      registry.setApiKey(tenantId, await apiKeys.ensure(tenantId, input.plan)),
    undo: async ({ tenantId }, { apiKeys, registry }) => {
      await apiKeys.remove(tenantId);
      await registry.setApiKey(tenantId, null);
    },
  },
  {
    name: 'open-placement',
    run: ({ tenantId }, { placements }) => placements.place(tenantId, 'active'),
    undo: ({ tenantId }, { placements }) => placements.place(tenantId, 'suspended'),
  },
  {
    name: 'serve',
    run: ({ tenantId }, { registry }) => registry.setState(tenantId, 'active'),
    undo: ({ tenantId }, { registry }) => registry.setState(tenantId, 'onboarding'),
  },
  // Somebody may have asked before there was a tenant, and would go on being refused.
  flushAuthorizers,
];
