import { mintCapability } from '../shared/tenancy/index.ts';
import { atMost, type Bench, takeTurns } from './bench.ts';
import { benchPostgres, fillProjects, projectOf, signingKey, tenantOf } from './postgres.ts';

const tenants = 1_000;
const rowsEach = 1_000;

/**
 * What the proof costs in the database: a point query through `tenancy.run`, against the bare query by a role that row-level
 * security does not touch, and against the usual begin, set_config, select, commit under a plain policy. None is prepared
 * beforehand, since callers of the Data API have no connection to prepare it on; what that is worth is shown beside it.
 */
export const bench: Bench = async (progress) => {
  await using postgres = await benchPostgres();
  const { superuser, app } = postgres;
  progress(`filling ${tenants * rowsEach} rows of ${tenants} tenants`);
  await fillProjects(superuser, tenants, rowsEach);
  await usualWay(superuser);

  const expiresAt = Date.now() / 1000 + 3_600;
  const capabilities = Array.from({ length: tenants + 1 }, (_, index) =>
    mintCapability(signingKey, tenantOf(index), expiresAt),
  );
  const random = (below: number): number => 1 + Math.floor(Math.random() * below);
  const columns = 'id, name, description, archived, version, created_at, updated_at';
  const byKey = `select ${columns} from usual.projects where tenant_id = $1 and id = $2`;
  const byId = `select ${columns} from usual.projects where id = $1`;
  const update = 'update projects set archived = not archived where id = %1$L returning id';
  const run = (statement: string) => () =>
    app.query({
      text: 'select * from tenancy.run($1, $2, $3, $4::jsonb, $5)',
      values: [capabilities[random(tenants)], 'pool', statement, JSON.stringify([projectOf(random(rowsEach))]), null],
    });
  const fourCalls = (text: string) => async () => {
    await app.query('begin');
    await app.query({ text: `select set_config('app.tenant', $1, true)`, values: [tenantOf(random(tenants))] });
    await app.query({ text, values: [projectOf(random(rowsEach))] });
    await app.query('commit');
  };
  const bare = (name?: string) => () =>
    superuser.query({
      ...(name && { name }),
      text: byKey,
      values: [tenantOf(random(tenants)), projectOf(random(rowsEach))],
    });
  progress('measuring');
  const times = await takeTurns(
    {
      bare: bare(),
      prepared: bare('prepared'),
      four: fourCalls(byId),
      run: run(`select ${columns} from projects where id = %1$L`),
      fourUpdate: fourCalls('update usual.projects set archived = not archived where id = $1 returning id'),
      runUpdate: run(update),
    },
    { rounds: 20, callsPerRound: 200 },
  );
  return {
    rows: [
      { case: 'bare query', value: times.bare, unit: 'ms' },
      { case: 'bare query, prepared beforehand', value: times.prepared, unit: 'ms' },
      { case: 'begin, set_config, select, commit', value: times.four, unit: 'ms' },
      { case: 'tenancy.run, select', value: times.run, unit: 'ms' },
      { case: 'begin, set_config, update, commit', value: times.fourUpdate, unit: 'ms' },
      { case: 'tenancy.run, update with fence', value: times.runUpdate, unit: 'ms' },
    ],
    ratios: [
      atMost('tenancy.run / begin, set_config, select, commit', times.run / times.four, 0.65),
      atMost('tenancy.run / bare query', times.run / times.bare, 2.0),
    ],
  };
};

/** The same rows under the policy that most guides show: a setting, taken at its word. */
async function usualWay(superuser: { query(sql: string): Promise<unknown> }): Promise<void> {
  await superuser.query('create schema usual');
  await superuser.query('create table usual.projects (like pool.projects including indexes)');
  await superuser.query('insert into usual.projects select * from pool.projects');
  await superuser.query('alter table usual.projects enable row level security');
  await superuser.query(`create policy tenant on usual.projects using (tenant_id = current_setting('app.tenant'))`);
  await superuser.query('grant usage on schema usual to tenantry_app');
  await superuser.query('grant select, update on usual.projects to tenantry_app');
  await superuser.query('vacuum analyze usual.projects');
}
