import type { OperationKind } from './operations-schema.ts';

interface EventTypes {
  readonly request: string;
  readonly success: string;
  readonly failure: string;
}

const named = (name: string): EventTypes => ({
  request: `${name}Request`,
  success: `${name}Success`,
  failure: `${name}Failure`,
});

/** Lifecycle events of each kind of operation, called as in SaaS Builder Toolkit, which has none for new limits, a new name or an export. */
export const operationEvents: Readonly<Record<OperationKind, EventTypes | undefined>> = {
  onboard: named('onboarding'),
  offboard: named('offboarding'),
  activate: named('activate'),
  suspend: named('deactivate'),
  'change-plan': named('tierChange'),
  'change-limits': named('limitsChange'),
  rename: named('rename'),
  export: undefined,
};
