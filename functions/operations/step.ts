import type {
  HomeInTurn,
  KnownKind,
  Operation,
  OperationInput,
  TenantRecord,
  Turn,
} from '../../shared/control/index.ts';
import { AppError } from '../../shared/errors/index.ts';
import type { Ports } from './ports.ts';

/** The tenant that an operation is about, and what is wanted of it. */
export interface Asked<Kind extends KnownKind> {
  readonly operationId: string;
  readonly tenantId: string;
  readonly input: OperationInput<Kind>;
  /** The tenant when the operation was asked for. */
  readonly before: Operation['before'];
}

/** The same, for an execution that does something about it. */
export interface Subject<Kind extends KnownKind> extends Asked<Kind>, Turn {}

/** Of a subject what tells whether it was overtaken. */
const turnOf = ({ operationId, tenantId, turn }: Subject<KnownKind>): Turn => ({ operationId, tenantId, turn });

/** Where a step goes on that has stopped for now, as JSON. Nothing of a tenant's: it is kept with the state of the execution. */
export type Position = Readonly<Record<string, string | number>>;

/** What a step does at a time: an invocation of a function ends after 15 minutes, whatever there is still to do. */
export interface Piece {
  /** Where the piece before has stopped; undefined for the first one, also where it is not known any more. */
  readonly from: Position | undefined;
  /** Whether it is time to stop. Something has to be done in each piece, or there will be no end of them. */
  isOver(): boolean;
}

/** What a piece of a step ends with: where the next one goes on, nothing once the step is done. */
// eslint-disable-next-line @typescript-eslint/no-invalid-void-type -- most steps return nothing, and are done then
type Done = Promise<Position | void>;

/** A part of an operation. It may be interrupted anywhere, so running or undoing it again has to end in the same. */
export interface Step<Kind extends KnownKind> {
  readonly name: string;
  run(subject: Subject<Kind>, ports: Ports, piece: Piece): Done;
  /** Takes back what `run` has done, all, some or none of it. */
  undo?(subject: Subject<Kind>, ports: Ports, piece: Piece): Done;
  /** Whether the operation has this step at all. @default it has */
  isWanted?(asked: Asked<Kind>): boolean;
  /** Set if nothing is undone any more once this step has begun: it does what cannot be taken back. */
  readonly isFinal?: true;
  /** Set if between its pieces everybody is to have an answer who has asked an authorizer before, instead of an invocation to end. */
  readonly awaitsAnswers?: true;
}

/** Has every token looked at again: what authorizers answered before may not be true any more. */
export const flushAuthorizers: Step<KnownKind> = {
  name: 'flush-authorizers',
  run: (_subject, { gateway }) => gateway.flushAuthorizersCache(),
};

/** The tenant as it was. @throws AppError internal if there was none, which only onboarding begins with */
export function tenantBefore({ tenantId, before }: Asked<KnownKind>): TenantRecord {
  if (before) return before;
  throw new AppError('internal', `The operation does not know what the tenant ${tenantId} was before.`);
}

/** Where the tenant lived when the operation was asked for. */
export const homeBefore = (subject: Subject<KnownKind>): HomeInTurn => ({
  ...turnOf(subject),
  placement: tenantBefore(subject).placement,
});

/** Where a tenant that comes is to live. */
export const homeWanted = (subject: Subject<'onboard'>): HomeInTurn => ({
  ...turnOf(subject),
  placement: subject.input.placement,
});

/** Whether something could not be done because the tenant's database, or its cluster, is not there any more. */
const isHomeGone = (error: unknown): error is AppError => error instanceof AppError && error.code === 'home-gone';

/** Does what needs the tenant's home, where there is one. @returns what is not there any more; undefined once it is done */
export async function unlessGone(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (isHomeGone(error)) return error.message;
    throw error;
  }
}

/** Whether the database answered the tenant before. */
export function placementBefore(subject: Subject<KnownKind>): 'active' | 'suspended' {
  return tenantBefore(subject).state === 'active' ? 'active' : 'suspended';
}
