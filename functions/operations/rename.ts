import { type Step, tenantBefore } from './step.ts';

/** Changes what people call a tenant. Its id stays: tokens, keys and rows go by that. */
export const rename: readonly Step<'rename'>[] = [
  {
    name: 'set-name',
    run: ({ tenantId, input }, { registry }) => registry.setName(tenantId, input.name),
    undo: (subject, { registry }) => registry.setName(subject.tenantId, tenantBefore(subject).name),
  },
];
