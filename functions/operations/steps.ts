import { type KnownKind, type Operation, type OperationInput, operationInputs } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { changePlan } from './change-plan.ts';
import { onboard } from './onboard.ts';
import type { Ports } from './ports.ts';
import type { Step, Subject } from './step.ts';
import { activate, suspend } from './suspend-and-activate.ts';

/** What each kind of operation consists of. */
export const operationSteps: { readonly [Kind in KnownKind]: readonly Step<Kind>[] } = {
  onboard,
  suspend,
  activate,
  'change-plan': changePlan,
};

/** A step of a certain operation. */
export interface BoundStep {
  readonly name: string;
  readonly run: () => Promise<void>;
  readonly undo: (() => Promise<void>) | undefined;
}

/** @throws AppError internal for a kind that this version does not know */
export function stepsOf(operation: Operation, ports: Ports): readonly BoundStep[] {
  const { kind } = operation;
  if (kind === 'offboard' || kind === 'export') {
    throw new AppError('internal', `This version knows no operations of the kind ${kind}. Deploy one that does.`);
  }
  return bind(kind, operation, ports);
}

function bind<Kind extends KnownKind>(kind: Kind, { tenantId, input, before }: Operation, ports: Ports): BoundStep[] {
  const subject: Subject<Kind> = {
    tenantId,
    input: operationInputs[kind].parse(input) as OperationInput<Kind>,
    before,
  };
  return operationSteps[kind].map((step) => ({
    name: step.name,
    run: () => step.run(subject, ports),
    undo: step.undo && (() => step.undo?.(subject, ports) ?? Promise.resolve()),
  }));
}
