import { type KnownKind, type Operation, type OperationInput, operationInputs } from '../../shared/control/index.ts';
import { changeLimits } from './change-limits.ts';
import { changePlan } from './change-plan.ts';
import { exportTenant } from './export.ts';
import { offboard } from './offboard.ts';
import { onboard } from './onboard.ts';
import { portsInTurn } from './in-turn.ts';
import type { Ports } from './ports.ts';
import { rename } from './rename.ts';
import type { Asked, Piece, Step } from './step.ts';
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
  readonly run: (piece: Piece, turn: number) => ReturnType<Step<KnownKind>['run']>;
  readonly undo: ((piece: Piece, turn: number) => ReturnType<Step<KnownKind>['run']>) | undefined;
  readonly isFinal: boolean;
  readonly awaitsAnswers: boolean;
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
  const asked: Asked<Kind> = {
    operationId: id,
    tenantId,
    input: operationInputs[kind].parse(input) as unknown as OperationInput<Kind>,
    before,
  };
  return operationSteps[kind]
    .filter((step) => step.isWanted?.(asked) ?? true)
    .map((step): BoundStep => {
      const within = (turn: number) => [{ ...asked, turn }, portsInTurn(ports, { operationId: id, turn })] as const;
      return {
        name: step.name,
        run: (piece, turn) => step.run(...within(turn), piece),
        undo: step.undo && ((piece, turn) => step.undo?.(...within(turn), piece) ?? Promise.resolve()),
        isFinal: step.isFinal ?? false,
        awaitsAnswers: step.awaitsAnswers ?? false,
      };
    });
}
