import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type PlacementModel, placementModels } from '../../shared/contract/index.ts';
import { checkOperation } from './matrix/describe-matrix.ts';
import { type Door, doors, operations } from './matrix/situations.ts';
import { makeWorld, type World } from './matrix/world.ts';

/** Tables that nobody has written yet, of all shapes that a migration may give them; the matrix is told nothing of them. */
const migration = `
  create type mood as enum ('calm', 'stormy');
  create table settings (tenant_id text primary key, theme varchar(8) not null, since timestamptz not null default now());
  select tenancy.protect('settings');

  create table comments (
    tenant_id text not null, number bigint generated always as identity, task_id uuid not null, answers bigint,
    mood mood not null, body text not null, shouted text generated always as (upper(body)) stored, tags text[] not null,
    weight numeric(10, 2) not null check (weight > 0), data jsonb not null, at timestamptz not null,
    primary key (tenant_id, number),
    foreign key (tenant_id, task_id) references tasks (tenant_id, id),
    foreign key (tenant_id, answers) references comments (tenant_id, number)
  );
  select tenancy.protect('comments');

  create table readings (
    tenant_id text not null, day date not null, sensor text not null, value double precision not null,
    primary key (tenant_id, day, sensor)
  ) partition by range (day);
  create table readings_2026 partition of readings for values from ('2026-01-01') to ('2027-01-01');
  select tenancy.protect('readings');
`;
const added = ['settings', 'comments', 'readings'];

/** What a placement changes is how a statement gets there; the statements themselves are held to it in the pool, through all doors. */
const doorsOf: Readonly<Record<PlacementModel, readonly Door[]>> = {
  pool: doors,
  bridge: ['shared/database', 'nothing set'],
  silo: ['shared/database', 'nothing set'],
};

describe.each(placementModels)('a table that a migration adds in the %s', (model) => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(model, { migration });
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it('is in the matrix by existing, parents before children, partitions with their parent', () => {
    const names = world.home.tables.map(({ name }) => name);
    expect(names).toEqual(expect.arrayContaining([...added, 'projects', 'tasks']));
    expect(names).not.toContain('readings_2026');
    expect(names.indexOf('tasks')).toBeLessThan(names.indexOf('comments'));
  });

  it.each(doorsOf[model])('is held to the same table of expected outcomes, through %s', async (door) => {
    const ours = world.home.tables.filter(({ name }) => added.includes(name));
    const deviations: string[] = [];
    let cells = 0;
    for (const operation of operations) {
      const result = await checkOperation(world, door, operation, ours);
      deviations.push(...result.deviations);
      cells += result.checked;
    }
    expect(deviations).toEqual([]);
    console.info(`matrix of new tables, ${model}, ${door}: ${cells} cells`);
    expect(cells).toBeGreaterThan(200);
  });
});
