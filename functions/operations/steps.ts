import { type KnownKind, type Operation, type OperationInput, operationInputs } from '../../shared/control/index.ts';
import { changeLimits } from './change-limits.ts';
import { changePlan } from './change-plan.ts';
import { exportTenant } from './export.ts';
import { offboard } from './offboard.ts';
import { onboard } from './onboard.ts';
import type { Ports } from './ports.ts';
import { rename } from './rename.ts';
import type { Piece, Step, Subject } from './step.ts';
import { activate, suspend } from './suspend-and-activate.ts';

/** What each kind of operation consists of. */
export const operationSteps: { readonly [Kind in KnownKind]: readonly Step<Kind>[] } = {
  onboard,
  suspend,
  activate,
  'change-plan': changePlan,
  'change-limits': changeLimits,
  rename,
  export: exportTenant,
  offboard,
};

/** A step of a certain operation. */
export interface BoundStep {
  readonly name: string;
  readonly run: (piece: Piece) => ReturnType<Step<KnownKind>['run']>;
  readonly undo: ((piece: Piece) => ReturnType<Step<KnownKind>['run']>) | undefined;
  readonly isFinal: boolean;
}

/** The steps of an operation, in their order. */
export function stepsOf(operation: Operation, ports: Ports): readonly BoundStep[] {
  return bind(operation.kind, operation, ports);
}

function bind<Kind extends KnownKind>(
  kind: Kind,
  { id, tenantId, input, before }: Operation,
  ports: Ports,
): BoundStep[] {
  const subject: Subject<Kind> = {
    operationId: id,
    tenantId,
    input: operationInputs[kind].parse(input) as unknown as OperationInput<Kind>,
    before,
  };
  return operationSteps[kind]
    .filter((step) => step.isWanted?.(subject) ?? true)
    .map((step) => ({
      name: step.name,
      run: (piece) => step.run(subject, ports, piece),
      undo: step.undo && ((piece) => step.undo?.(subject, ports, piece) ?? Promise.resolve()),
      isFinal: step.isFinal ?? false,
    }));
}
