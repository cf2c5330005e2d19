import { restore } from './restore.ts';
import { flushAuthorizers, homeWanted, type Step } from './step.ts';

/** Makes a tenant, empty or from an export. Nobody is served before the last step, so there is nothing that undoing could lose. */
export const onboard: readonly Step<'onboard'>[] = [
  {
    name: 'register',
    run: (subject, { registry }) => registry.register(subject, subject.input),
    undo: (subject, { registry }) => registry.forget(subject),
  },
  {
    name: 'make-database',
    isWanted: ({ input }) => input.placement.model === 'silo',
    run: async (subject, { databases, registry }) =>
      registry.setLogin(subject, await databases.make(homeWanted(subject))),
    undo: (subject, { databases }) => databases.drop(homeWanted(subject)),
  },
  {
    name: 'make-home',
    isWanted: ({ input }) => input.placement.model !== 'pool',
    run: (subject, { homes }) => homes.make(homeWanted(subject)),
    undo: async (subject, { homes }) => {
      // A silo goes with its database, which may not even have been made.
      if (subject.input.placement.model === 'bridge') await homes.drop(homeWanted(subject));
    },
  },
  {
    name: 'place',
    run: (subject, { homes }) => homes.place(homeWanted(subject), 'suspended'),
    undo: (subject, { homes }) => homes.displace(homeWanted(subject)),
  },
  ...restore,
  {
    name: 'make-api-key',
    run: async (subject, { apiKeys, registry }) =>
      registry.setApiKey(subject, await apiKeys.ensure(subject.tenantId, subject.input.plan)),
    undo: async (subject, { apiKeys, registry }) => {
      await apiKeys.remove(subject.tenantId);
      await registry.setApiKey(subject, null);
    },
  },
  {
    name: 'open-placement',
    run: (subject, { homes }) => homes.place(homeWanted(subject), 'active'),
    undo: (subject, { homes }) => homes.place(homeWanted(subject), 'suspended'),
  },
  {
    name: 'serve',
    run: (subject, { registry }) => registry.setState(subject, 'active'),
    undo: (subject, { registry }) => registry.setState(subject, 'onboarding'),
  },
  // Somebody may have asked before there was a tenant, and would go on being refused.
  flushAuthorizers,
];
