import { flushAuthorizers, homeBefore, placementBefore, type Step, tenantBefore } from './step.ts';

/** The database comes first: it refuses the tenant's next statement, whatever registry and gateway still say. */
const become = (state: 'active' | 'suspended'): readonly Step<'suspend' | 'activate'>[] => [
  {
    name: 'set-placement',
    run: (subject, { homes }) => homes.place(homeBefore(subject), state),
    undo: (subject, { homes }) => homes.place(homeBefore(subject), placementBefore(subject)),
  },
  {
    name: 'set-state',
    run: (subject, { registry }) => registry.setState(subject, state),
    undo: async (subject, { registry, gateway }) => {
      await registry.setState(subject, tenantBefore(subject).state);
      // Authorizers may have said since what is not true any more.
      await gateway.flushAuthorizersCache();
    },
  },
  flushAuthorizers,
];

export const suspend = become('suspended');
export const activate = become('active');
