import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseRoles, poolSchema } from '../../shared/contract/index.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { isSoak } from '../helpers/soak.ts';
import { laySiege, type Siege } from './generated-sql/siege.ts';
import type { Statement } from './generated-sql/statements.ts';

/** Debian's package of that name makes statements of everything in a catalog, by rules that are not ours. */
const program = 'sqlsmith';
const statementCount = isSoak ? 10_000 : 300;
const seed = 20_260_103;
const isInstalled = spawnSync(program, ['--version']).status === 0;

let database: TestDatabase;
let siege: Siege;

beforeAll(async () => {
  database = await createTestDatabase();
  siege = await laySiege(database);
});
afterAll(() => database[Symbol.asyncDispose]());

/** What it prints when it does not run its statements itself, which tells nobody their results. */
function statementsOf(options: readonly string[]): Statement[] {
  const { app } = databaseRoles;
  const { ownCapability } = siege.lore;
  const session = `-c tenancy.capability=${ownCapability} -c search_path=${poolSchema}`;
  const target = `host=127.0.0.1 port=${database.port} dbname=${database.name} user=${app} password=${app} options='${session}'`;
  const { status, stdout, stderr } = spawnSync(
    program,
    [`--target=${target}`, `--seed=${seed}`, `--max-queries=${statementCount}`, '--dry-run', ...options],
    { encoding: 'utf8', maxBuffer: 2 ** 30 },
  );
  expect(status, stderr).toBe(0);
  return stdout
    .split(/;\s*\n/)
    .filter((sql) => sql.trim() !== '' && !sql.includes('pg_terminate_backend'))
    .map((sql, index) => ({ way: index % 4 === 3 ? 'direct' : 'run', sql, uses: new Set<string>() }));
}

describe(`${statementCount} statements of ${program}, with the seed ${seed}`, () => {
  it.for<[string, string[]]>([
    ['over the tables of tenants, the kernel and the registry', ['--exclude-catalog']],
    ['over the whole catalog', []],
  ])('show and change nothing of another tenant: %s', { timeout: 1_800_000 }, async ([, options], { skip }) => {
    skip(!isInstalled, `${program} is not installed`);
    const report = await siege.attackWith(statementsOf(options));
    expect(report.breach).toBeUndefined();
    expect(report.answered).toBeGreaterThan(statementCount * 0.9);
    // It does not know the types of this Postgres well.
    expect(report.succeeded / report.answered).toBeGreaterThan(0.2);
  });
});
