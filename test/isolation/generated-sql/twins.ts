import type { Client } from 'pg';
import { createTestDatabase, type TestDatabase } from '../../helpers/database.ts';
import { attacker } from './canaries.ts';
import { type Hearsay, openListener } from './listener.ts';
import { laySiege, refill, statementsOf, viaRun } from './siege.ts';

/** Two databases in which the attacker has the same rows, and its victims as many rows, but with other values. */
export interface Twins extends AsyncDisposable {
  readonly databases: readonly TestDatabase[];
  /** Asks both the same statements, each of which leaves nothing behind, until they answer one differently. */
  compare(seed: number, count: number): Promise<Comparison>;
}

export interface Comparison {
  /** How often each code was the answer, `00000` where there was no error. */
  readonly codes: ReadonlyMap<string, number>;
  readonly difference: string | undefined;
}

/** With random values in it a statement is answered differently each time, and tells nothing. So often is it asked to find that out. */
const repetitions = 5;

/** What was rolled back makes a table larger, and plans follow sizes too. */
const statementsBetweenVacuums = 200;

export async function makeTwins(): Promise<Twins> {
  const databases = [await createTestDatabase(), await createTestDatabase()];
  const [siege] = await Promise.all(databases.map(laySiege));
  if (!siege) throw new Error('There are no twins.');
  for (const [index, { superuser }] of databases.entries()) {
    await refill(superuser);
    for (const [table, values] of Object.entries(otherValues)) {
      // Of the first its own, so that rows lie in the same places.
      const same = values.map(([column]) => [column, column] as const);
      await rewrite(superuser, `pool.${table}`, index > 0 ? values : same);
    }
  }
  // What a database tells of itself, its name among it, differs between any two.
  const reach = {
    relations: siege.reach.relations.filter(({ room }) => room !== 'catalog'),
    routines: siege.reach.routines.filter(({ name, room }) => room !== 'catalog' && !name.startsWith('registry.')),
  };
  return {
    databases,
    compare: async (seed, count) => {
      const statements = statementsOf(seed, count, reach, siege.lore).filter(({ way }) => way === 'run');
      return compare(
        databases,
        statements.map(({ sql }) => `rollback; begin; ${viaRun(siege.lore, sql)}; rollback`),
      );
    },
    [Symbol.asyncDispose]: async () => {
      for (const database of databases) await database[Symbol.asyncDispose]();
    },
  };
}

async function compare(databases: readonly TestDatabase[], texts: readonly string[]): Promise<Comparison> {
  const codes = new Map<string, number>();
  await using stack = new AsyncDisposableStack();
  const listeners = await Promise.all(databases.map(async (database) => stack.use(await openListener(database))));
  const ask = (text: string) => Promise.all(listeners.map(async (listener) => answerOf(await listener.ask(text))));
  for (const [at, text] of texts.entries()) {
    if (at % statementsBetweenVacuums === 0) for (const { superuser } of databases) await superuser.query('vacuum');
    const answers = await ask(text);
    const code = answers[0]?.slice(0, 5) ?? '';
    codes.set(code, (codes.get(code) ?? 0) + 1);
    if (answers[0] === answers[1]) continue;
    const repeated = await repeat(() => ask(text));
    if (repeated.every(({ size }) => size === 1))
      return { codes, difference: [text, ...repeated.flatMap((each) => [...each])].join('\n') };
  }
  return { codes, difference: undefined };
}

/** The different answers of each database. */
async function repeat(ask: () => Promise<string[]>): Promise<Set<string>[]> {
  const rounds: string[][] = [];
  for (let round = 0; round < repetitions; round += 1) rounds.push(await ask());
  return [0, 1].map((database) => new Set(rounds.map((answers) => answers[database] ?? '')));
}

/** In an order of its own, and without what is new each time: random ids and the time of day. */
function answerOf({ code = '00000', words }: Hearsay): string {
  const lines = words.map((line) =>
    line
      .replaceAll(/[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-(?!0000000)[\da-f]{12}/gi, '<uuid>')
      .replaceAll(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d\.\d+/g, '<time>'),
  );
  return [code, ...lines.sort()].join('\n');
}

/** All that a victim's row can be told by, but its ids, of which the attacker knows some; as wide as it was, since sizes are no secret. */
const otherValues: Readonly<Record<string, readonly (readonly [column: string, value: string])[]>> = {
  projects: [
    ['name', `'!' || substr(name, 2)`],
    ['description', `'!' || substr(description, 2)`],
    ['archived', 'true'],
    ['version', '-version'],
    ['created_at', `'1001-01-01'`],
    ['updated_at', `'1001-01-01'`],
  ],
  tasks: [
    ['title', `'!' || substr(title, 2)`],
    ['status', `'done'`],
    ['assignee', `'!' || substr(assignee, 2)`],
    ['due_on', 'null'],
    ['estimate_minutes', '0'],
    ['version', '-5'],
    ['created_at', `'1001-01-01'`],
    ['updated_at', `'1001-01-01'`],
  ],
  idempotency_keys: [
    ['key', `'!' || substr(key, 2)`],
    ['status', `'INPROGRESS'`],
    ['response', `jsonb_build_object('next', response -> 'body')`],
    ['request_hash', `'!' || substr(request_hash, 2)`],
    ['in_progress_until', '-1'],
    ['expires_at', '-1'],
  ],
};

/** Plans follow statistics, and the order of rows follows plans (docs/security.md). That much is known to differ, so there are none. */
async function rewrite(
  superuser: Client,
  table: string,
  values: readonly (readonly [column: string, value: string])[],
): Promise<void> {
  const assignments = values.map(([column, value]) => `${column} = ${value}`).join(', ');
  await superuser.query(`alter table ${table} set (autovacuum_enabled = off);
    alter table ${table} disable trigger fence;
    update ${table} set ${assignments} where tenant_id <> '${attacker}';
    alter table ${table} enable always trigger fence`);
  await superuser.query(`vacuum full ${table}`);
  await superuser.query(`delete from pg_statistic where starelid = '${table}'::regclass`);
}
