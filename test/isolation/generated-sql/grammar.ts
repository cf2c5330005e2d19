import type { Dice } from './dice.ts';
import type { Column, Reach, Relation, Routine } from './reach.ts';

/** Texts that an attacker would write into a statement. None of them contains what only the victims' rows contain. */
export interface Lore {
  readonly tenantIds: readonly string[];
  /** Ids of own rows, and of rows of others that the attacker has got to know. */
  readonly rowIds: readonly string[];
  readonly ownCapability: string;
  /** Of no use: forged, cut off, expired, of another key, or of a tenant that is suspended here or not at home. */
  readonly uselessCapabilities: readonly string[];
  readonly schemas: readonly string[];
}

/** A project of the attacker's own, and a task in it. */
export const ownId = '00000000-0000-4000-8000-00000000000a';
/** Another project, which no statement names. */
export const otherOwnId = '00000000-0000-4000-8000-00000000000b';

/** What the rules of the grammar share while they make one statement. */
export interface Grammar {
  readonly dice: Dice;
  readonly reach: Reach;
  readonly lore: Lore;
  /** Notes what the statement uses, so that a run can tell what it has tried. */
  readonly used: (name: string) => void;
  /** A name that the statement does not have yet. */
  readonly alias: () => string;
}

/** What a FROM list offers. */
export interface Source {
  readonly alias: string;
  readonly columns: readonly Column[];
}
export type Scope = readonly Source[];

export interface Query {
  readonly sql: string;
  readonly columns: readonly Column[];
}

export const quote = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** A relation: mostly one that holds rows of tenants. */
export function someRelation({ dice, reach, used }: Grammar): Relation {
  const of = (wanted: Relation['room']) => reach.relations.filter(({ room }) => room === wanted);
  const relation = dice.weighted(
    [190, () => dice.pick(of('open'))],
    [3, () => dice.pick(of('closed'))],
    [of('catalog').length > 0 ? 7 : 0, () => dice.pick(of('catalog'))],
  );
  used(relation.name);
  return relation;
}

/** A function: of ours more often than the few that there are among those of Postgres. */
export function someRoutine({ dice, reach, used }: Grammar, fits: (routine: Routine) => boolean): Routine | undefined {
  const fitting = reach.routines.filter(fits);
  const ours = fitting.filter(({ room }) => room === 'ours');
  const from = ours.length > 0 && dice.chance(40) ? ours : fitting;
  if (from.length === 0) return undefined;
  const routine = dice.pick(from);
  used(routine.name);
  return routine;
}

export function someCapability({ dice, lore }: Grammar): string {
  return dice.chance(30) ? lore.ownCapability : dice.pick(lore.uselessCapabilities);
}
