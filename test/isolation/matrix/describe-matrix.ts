import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tables as declared } from '../../../shared/database/index.ts';
import { assertComplete, expectedOf } from './expected.ts';
import { isBuildable } from './queries.ts';
import { runCell } from './run-cell.ts';
import { type Door, doors, type Operation, operations, situations } from './situations.ts';
import { isPossible } from './statements.ts';
import { makeWorld, type Model, type World } from './world.ts';

/** Tables × operations × situations × doors of a placement, as tests: one for each door and operation. */
export function describeMatrix(model: Model): void {
  let world: World;
  let cells = 0;
  beforeAll(async () => {
    world = await makeWorld(model);
  });
  afterAll(async () => {
    const { length: tables } = world.home.tables;
    console.info(
      `matrix ${model}: ${cells} cells (${tables} tables × ${operations.length} operations × ${situations.length} situations × ` +
        `${doors.length} doors, less what does not exist)`,
    );
    await world[Symbol.asyncDispose]();
  });

  it('says what to expect of every operation in every situation', assertComplete);

  describe.each(doors)(`a tenant of the ${model} through %s`, (door) => {
    it.each(operations)('has its own rows and no others: %s', async (operation) => {
      const { checked, deviations } = await checkOperation(world, door, operation);
      cells += checked;
      expect(deviations).toEqual([]);
      expect(checked).toBeGreaterThan(0);
    });
  });
}

/**
 * Tries an operation on every table in every situation, and returns what came out otherwise than expected. A table that TypeScript has
 * not been told of is unknown to the scope plugin: there the policy refuses what the plugin would have.
 */
export async function checkOperation(
  world: World,
  door: Door,
  operation: Operation,
  tables = world.home.tables,
): Promise<{ checked: number; deviations: string[] }> {
  const deviations: string[] = [];
  let checked = 0;
  for (const table of tables.filter((each) => isPossible(operation, each))) {
    for (const situation of situations) {
      const words = expectedOf(door, operation, situation);
      if (words === undefined) continue;
      const isSeen = Object.hasOwn(declared, table.name) && isBuildable(table);
      const expected = words === 'mismatch' && !isSeen ? 'denied' : words;
      const outcome = await runCell(world, { door, operation, situation, table });
      checked += 1;
      if (outcome !== expected)
        deviations.push(`${operation} ${table.name}, ${situation}: expected ${expected}, got ${outcome}`);
    }
  }
  return { checked, deviations };
}
