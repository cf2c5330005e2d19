import type { TenantTable } from './catalog.ts';
import { send } from './doors.ts';
import type { Snapshot } from './home.ts';
import { outcomeOfError } from './outcome-of-error.ts';
import { type Door, effects, type Operation, type Situation } from './situations.ts';
import type { Aim } from './statements.ts';
import type { World } from './world.ts';

export interface Cell {
  readonly door: Door;
  readonly operation: Operation;
  readonly situation: Situation;
  readonly table: TenantTable;
}

/** Tries a cell, and puts back what it has changed. Returns what came of it, in the words of the expected tables. */
export async function runCell(world: World, cell: Cell): Promise<string> {
  const aim = aimOf(world, cell);
  const before = { home: await world.home.known(), newHome: await world.newHome.known() };
  const result = await send(world, cell, aim).then(
    (rows) => ({ rows }),
    (error: unknown) => ({ error }),
  );
  const after = { home: await world.home.look(), newHome: await world.newHome.look() };
  const written = {
    home: await putBack(world, 'home', before, after),
    newHome: await putBack(world, 'newHome', before, after),
  };
  const places = [...written.home, ...written.newHome];
  const foreign = places.filter((place) => !place.startsWith(`${aim.actor} `));
  if (foreign.length > 0) return `WROTE rows of another: ${foreign.join(', ')}`;
  if ('error' in result) return places.length > 0 ? 'failed, and WROTE' : outcomeOfError(result.error, aim.actor);

  const shown = new Set(result.rows.flatMap((row) => Object.values(row)));
  if ([...shown].some((tenant) => tenant !== aim.actor)) return `SHOWED rows of ${[...shown].join(', ')}`;
  if (shown.size === 0) return places.length > 0 ? 'WROTE, and showed nothing' : 'none';
  const place = `${aim.actor} ${cell.table.name}`;
  const tookEffect = (at: keyof Snapshots) => hasEffect(cell.operation, before[at].get(place), after[at].get(place));
  if (tookEffect('home') && written.newHome.length === 0) return 'own';
  if (tookEffect('newHome') && written.home.length === 0) return 'new home';
  return `showed its own rows, and WROTE ${places.join(', ') || 'nothing'}`;
}

function aimOf({ home, newHome }: World, { door, situation, table }: Cell): Aim {
  const leaves = situation === 'suspended' || situation === 'moving' || situation === 'moved';
  return {
    // A query says nothing of a home; its request does.
    home: situation === 'elsewhere' && door !== 'shared/database' ? newHome : home,
    table,
    actor: leaves ? situation : 'own',
    foreign: situation === 'other' ? 'other' : undefined,
  };
}

interface Snapshots {
  readonly home: Snapshot;
  readonly newHome: Snapshot;
}

/** Which tenants' tables were written, each as `<tenant> <table>`. */
async function putBack(
  world: World,
  at: keyof Snapshots,
  before: Snapshots,
  after: Snapshots,
): Promise<readonly string[]> {
  const places = new Set([...before[at].keys(), ...after[at].keys()]);
  const written = [...places].filter((place) => {
    const [old, now] = [before[at].get(place), after[at].get(place)];
    return without(old, now) + without(now, old) > 0;
  });
  if (written.length > 0) await world[at].restore();
  return written;
}

function hasEffect(
  operation: Operation,
  before: ReadonlySet<string> = new Set(),
  after: ReadonlySet<string> = new Set(),
): boolean {
  const [gone, come] = [without(before, after), without(after, before)];
  switch (effects[operation]) {
    case 'reads':
      return gone + come === 0;
    case 'adds one':
      return gone === 0 && come === 1;
    case 'changes one':
      return gone === 1 && come === 1;
    case 'changes all':
      return gone === before.size && come === before.size;
    case 'removes all':
      return gone === before.size && come === 0;
  }
}

/** How many of the rows are not among the others. */
function without(rows: ReadonlySet<string> = new Set(), others: ReadonlySet<string> = new Set()): number {
  return [...rows].filter((row) => !others.has(row)).length;
}
