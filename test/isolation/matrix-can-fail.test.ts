import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { placementModels } from '../../shared/contract/index.ts';
import { checkOperation } from './matrix/describe-matrix.ts';
import type { Door, Operation } from './matrix/situations.ts';
import { makeWorld, type World } from './matrix/world.ts';

/** Holes, and what the matrix has to say of them: a matrix that cannot fail shows nothing. */
interface Hole {
  readonly title: string;
  /** Run by the superuser in the database of the home, for its schema. */
  readonly plant: (schema: string) => string;
  readonly door: Door;
  readonly operation: Operation;
  readonly finds: string;
}

const signature = 'function tenancy.current_tenant(home text) returns text language plpgsql stable security definer';
const forgetsToProve = (returns: string) =>
  `create or replace ${signature} set search_path = pg_catalog, pg_temp as $$ begin return ${returns}; end $$`;
const named = `split_part(current_setting('tenancy.capability', true), '.', 3)`;

const holes: readonly Hole[] = [
  {
    title: 'row-level security switched off',
    plant: (schema) => `alter table ${schema}.tasks disable row level security`,
    door: 'tenancy.run',
    operation: 'select',
    finds: 'select tasks, own: expected own, got SHOWED rows of',
  },
  {
    title: 'a policy that lets everybody read',
    plant: (schema) => `create policy everybody on ${schema}.tasks for select using (true)`,
    door: 'shared/database',
    operation: 'raw SQL',
    finds: 'raw SQL tasks, other: expected own, got SHOWED rows of',
  },
  {
    title: 'a policy that lets everybody read, through COPY',
    plant: (schema) => `create policy everybody on ${schema}.tasks for select using (true)`,
    door: 'capability set',
    operation: 'copy out',
    finds: 'copy out tasks, other: expected none, got SHOWED rows of other',
  },
  {
    title: 'a policy that checks nothing that is written',
    plant: (schema) => `alter policy tenant on ${schema}.tasks using (true) with check (true)`,
    door: 'capability set',
    operation: 'insert',
    finds: 'insert tasks, other: expected denied, got WROTE rows of another: other tasks',
  },
  {
    title: 'no fence',
    plant: (schema) => `drop trigger fence on ${schema}.tasks`,
    door: 'tenancy.run',
    operation: 'update',
    finds: 'update tasks, moving: expected moving, got own',
  },
  {
    title: 'a kernel that believes what a capability says',
    plant: () => forgetsToProve(named),
    door: 'tenancy.run',
    operation: 'delete',
    finds: 'delete projects, expired: expected expired, got own',
  },
  {
    title: 'a kernel that takes no capability for any tenant',
    plant: () => forgetsToProve(`coalesce(nullif(${named}, ''), 'own')`),
    door: 'nothing set',
    operation: 'select',
    finds: 'select tasks, own: expected unset, got own',
  },
  // Last, since it stays.
  {
    title: 'a foreign key without the tenant',
    plant: (schema) => `alter table ${schema}.tasks drop constraint tasks_tenant_id_project_id_fkey`,
    door: 'tenancy.run',
    operation: 'insert under a foreign parent',
    finds: 'insert under a foreign parent tasks, other: expected orphan, got own',
  },
];

const kernel = `select pg_get_functiondef('tenancy.current_tenant(text)'::regprocedure) as definition`;

describe.each(placementModels)('the matrix of the %s', (model) => {
  let world: World;
  beforeAll(async () => {
    world = await makeWorld(model);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  it.each(holes)('finds $title', async ({ plant, door, operation, finds }) => {
    const { superuser, schema } = world.home;
    const { rows } = await superuser.query<{ definition: string }>(kernel);
    expect(await checkOperation(world, door, operation)).toMatchObject({ deviations: [] });
    await superuser.query(plant(schema));
    const { deviations } = await checkOperation(world, door, operation);
    await superuser.query(rows[0]?.definition ?? '');
    await superuser.query(`select tenancy.protect('${schema}.tasks')`);
    await superuser.query(`drop policy if exists everybody on ${schema}.tasks`);
    expect(deviations.join('\n')).toContain(finds);
  });
});
