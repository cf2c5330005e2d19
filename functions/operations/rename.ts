import { type Step, tenantBefore } from './step.ts';

/** Changes what people call a tenant. Its id stays: tokens, keys and rows go by that. */
export const rename: readonly Step<'rename'>[] = [
  {
    name: 'set-name',
    run: (subject, { registry }) => registry.setName(subject, subject.input.name),
    undo: (subject, { registry }) => registry.setName(subject, tenantBefore(subject).name),
  },
];
