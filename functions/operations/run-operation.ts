import type { KnownKind, Operation, OperationError, StepState } from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import { operationError, StepFailure } from './failure.ts';
import type { Ports } from './ports.ts';
import { flushAuthorizers, type Piece, type Position, type Step, unlessGone } from './step.ts';
import { type BoundStep, stepsOf } from './steps.ts';

/** What outlives the process that runs an operation. */
export interface Durable {
  /**
   * Does a part of an operation so that it is not done again once it is done, and again, while that may help, when it fails.
   *
   * @throws StepFailure when it has failed for good
   */
  once<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Goes on in an invocation that has all of its time. */
  pause(): Promise<void>;
  /** Resolves when whoever asked an authorizer before has its answer. */
  untilAnswered(): Promise<void>;
  /** How long a piece of a step that begins now may take; undefined if the invocation has no time left for one. */
  pieceMs(): number | undefined;
}

/**
 * Runs an operation to its end: succeeded, or failed with everything undone, or, past what can be undone, failed where it was. It may have been interrupted anywhere before; a step
 * of which nobody knows whether it was done runs again then.
 *
 * @throws AppError not-found; StepFailure when the registry cannot be told, or a step can neither be done nor undone: the operation is
 *   unfinished then, and goes on where it was when it is run again
 */
export async function runOperation(operationId: string, ports: Ports, durable: Durable): Promise<Outcome> {
  const { registry } = ports;
  const asked = await durable.once('read', async () => (await registry.read(operationId)) ?? null);
  if (!asked) throw new AppError('not-found', `There is no operation ${operationId}.`);
  const steps = stepsOf(asked, ports);
  const names = steps.map(({ name }) => name);
  const operation =
    (await durable.once('start', async () => (await registry.start(operationId, names)) ?? null)) ?? asked;
  const outcome = { changesAnswers: names.includes(flushAuthorizers.name) };
  // Whoever has ended it may not have come to the rest, which may be done twice.
  if (operation.endedAt !== null) return outcome;

  const failure = operation.error ?? (await runSteps(operation, steps, ports, durable));
  if (failure) {
    const abandoned = await durable.once('abandon', () => abandon(operation, failure, steps, ports));
    if (!isPastUndoing(abandoned, steps)) await undoSteps(abandoned, steps, ports, durable);
  }
  await durable.once('end', async () => {
    await registry.end(operationId, operation.kind);
  });
  return outcome;
}

/** What an operation that has ended leaves to be done. */
interface Outcome {
  /** Whether authorizers may answer otherwise than before. */
  readonly changesAnswers: boolean;
}

/**
 * Has every token looked at once more, when all authorizers have answered that were asked before an operation had changed what they
 * answer: API Gateway keeps an answer from when it comes, also after it was told to forget all.
 */
export async function flushLateAnswers({ gateway }: Ports, durable: Durable): Promise<void> {
  await durable.untilAnswered();
  await durable.once('flush late answers', () => gateway.flushAuthorizersCache());
}

/** A step that failed for good. */
interface FailedStep {
  readonly step: string;
  readonly failure: StepFailure;
}

/** Writes down why the operation fails, and whether it is undone. */
async function abandon(
  { id, error }: Operation,
  failed: FailedStep | OperationError,
  steps: readonly BoundStep[],
  { registry }: Ports,
): Promise<Operation> {
  if (error || !('failure' in failed)) return registry.abandon(id, error ?? (failed as OperationError));
  const now = await registry.read(id);
  const isFinal = now !== undefined && isPastUndoing(now, steps);
  return registry.abandon(id, operationError(failed.failure, { step: failed.step, operationId: id, isFinal }));
}

/** Whether a step has begun that cannot be taken back. */
function isPastUndoing({ steps: progress }: Operation, steps: readonly BoundStep[]): boolean {
  const begun = new Set(progress.filter(({ state }) => state !== 'pending').map(({ name }) => name));
  return steps.some(({ name, isFinal }) => isFinal && begun.has(name));
}

/** @returns the step that failed, if one did */
async function runSteps(
  { id, steps: progress }: Operation,
  steps: readonly BoundStep[],
  { registry }: Ports,
  durable: Durable,
): Promise<FailedStep | undefined> {
  const done = new Set(progress.filter(({ state }) => state === 'succeeded').map(({ name }) => name));
  for (const { name, run, awaitsAnswers } of steps.filter((step) => !done.has(step.name))) {
    try {
      await inPieces(name, between(durable, awaitsAnswers), durable, async (piece) => {
        const turn = turnIn(await registry.mark(id, name, 'running'), id);
        if (turn === undefined) return;
        try {
          const rest = await run(piece, turn);
          if (rest) return rest;
        } catch (error) {
          // Another execution may have done it meanwhile, and what follows, after which it cannot be done any more.
          if (!isDone(await registry.read(id), name)) {
            // What fails since another execution goes on is no reason for that one to give up.
            await registry.requireTurn({ operationId: id, turn });
            throw error;
          }
        }
        turnIn(await registry.mark(id, name, 'succeeded'), id);
      });
    } catch (error) {
      if (error instanceof StepFailure && error.code !== 'operation-in-progress') return { step: name, failure: error };
      throw error;
    }
  }
  return undefined;
}

const isDone = (operation: Operation | undefined, step: string): boolean =>
  operation?.steps.some(({ name, state }) => name === step && state === 'succeeded') ?? false;

/** Undoes what was begun, the last step first. */
async function undoSteps(
  { id, steps: progress }: Operation,
  steps: readonly BoundStep[],
  { registry }: Ports,
  durable: Durable,
): Promise<void> {
  const isBegun = ({ state }: { state: StepState }): boolean => state !== 'pending' && state !== 'undone';
  const begun = new Set(progress.filter(isBegun).map(({ name }) => name));
  for (const { name, undo, awaitsAnswers } of steps.toReversed()) {
    if (!undo || !begun.has(name)) continue;
    await inPieces(`undo ${name}`, between(durable, awaitsAnswers), durable, async (piece) => {
      const turn = turnIn(await registry.mark(id, name, 'undoing'), id);
      if (turn === undefined) return;
      let rest: Position | undefined;
      // Where the home is gone, there is nothing to undo, and there never will be.
      await unlessGone(async () => {
        rest = (await undo(piece, turn)) ?? undefined;
      });
      if (rest) return rest;
      turnIn(await registry.mark(id, name, 'undone'), id);
    });
  }
}

/** What comes between two pieces of a step. */
const between = (durable: Durable, awaitsAnswers: boolean) => (): Promise<void> =>
  awaitsAnswers ? durable.untilAnswered() : durable.pause();

/** Does a step, or undoes it, piece by piece, each of which is done once. */
async function inPieces(
  name: string,
  pause: () => Promise<void>,
  durable: Durable,
  work: (piece: Piece) => ReturnType<Step<KnownKind>['run']>,
): Promise<void> {
  let from: Position | undefined;
  for (let number = 1; ; number += 1) {
    const end = await durable.once(number === 1 ? name : `${name}, piece ${number}`, async () => {
      const pieceMs = durable.pieceMs();
      if (pieceMs === undefined) return { from };
      const until = Date.now() + pieceMs;
      const rest = await work({ from, isOver: () => Date.now() >= until });
      return rest ? { from: rest } : null;
    });
    if (end === null) return;
    ({ from } = end);
    await pause();
  }
}

/**
 * The turn in which a step is still to be done; undefined if another execution of the operation has done it.
 *
 * @throws AppError operation-in-progress when it is for the other execution to go on
 */
function turnIn(mark: Awaited<ReturnType<Ports['registry']['mark']>>, operationId: string): number | undefined {
  if (mark.outcome === 'marked') return mark.turn;
  if (mark.outcome === 'done') return undefined;
  throw new AppError('operation-in-progress', `Another execution of the operation ${operationId} goes on with it.`);
}
