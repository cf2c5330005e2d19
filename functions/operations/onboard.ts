import type { TenantHome } from '../../shared/control/index.ts';
import { restore } from './restore.ts';
import { flushAuthorizers, type Step, type Subject } from './step.ts';

const homeOf = ({ tenantId, input }: Subject<'onboard'>): TenantHome => ({ tenantId, placement: input.placement });

/** Makes a tenant, empty or from an export. Nobody is served before the last step, so there is nothing that undoing could lose. */
export const onboard: readonly Step<'onboard'>[] = [
  {
    name: 'register',
    run: ({ tenantId, input }, { registry }) => registry.register(tenantId, input),
    undo: ({ tenantId }, { registry }) => registry.forget(tenantId),
  },
  {
    name: 'make-database',
    isWanted: ({ input }) => input.placement.model === 'silo',
    run: async (subject, { databases, registry }) =>
      registry.setLogin(subject.tenantId, await databases.make(homeOf(subject))),
    undo: (subject, { databases }) => databases.drop(homeOf(subject)),
  },
  {
    name: 'make-home',
    isWanted: ({ input }) => input.placement.model !== 'pool',
    run: (subject, { homes }) => homes.make(homeOf(subject)),
    undo: async (subject, { homes }) => {
      // A silo goes with its database, which may not even have been made.
      if (subject.input.placement.model === 'bridge') await homes.drop(homeOf(subject));
    },
  },
  {
    name: 'place',
    run: (subject, { homes }) => homes.place(homeOf(subject), 'suspended'),
    undo: (subject, { homes }) => homes.displace(homeOf(subject)),
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
    run: (subject, { homes }) => homes.place(homeOf(subject), 'active'),
    undo: (subject, { homes }) => homes.place(homeOf(subject), 'suspended'),
  },
  {
    name: 'serve',
    run: ({ tenantId }, { registry }) => registry.setState(tenantId, 'active'),
    undo: ({ tenantId }, { registry }) => registry.setState(tenantId, 'onboarding'),
  },
  // Somebody may have asked before there was a tenant, and would go on being refused.
  flushAuthorizers,
];
