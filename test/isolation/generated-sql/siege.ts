import type { Client } from 'pg';
import fc from 'fast-check';
import { poolSchema } from '../../../shared/contract/index.ts';
import { capabilityFor, signingKey } from '../../helpers/capability.ts';
import type { TestDatabase } from '../../helpers/database.ts';
import { attacker, knownIds, plantCanaries, untouchables, victims } from './canaries.ts';
import { tapes } from './dice.ts';
import { type Lore, otherOwnId, ownId } from './grammar.ts';
import { openListener, type Listener } from './listener.ts';
import { findReach, type Reach } from './reach.ts';
import { type Statement, statementOf, type Way } from './statements.ts';

export interface Report {
  /** Statements that Postgres has answered, and those of them without an error. */
  answered: number;
  succeeded: number;
  /** How often each error code was met. */
  readonly codes: Map<string, number>;
  readonly used: Set<string>;
  /** The first statement that has shown a canary, or the batch of statements after which a row or the catalog differed. */
  breach?: string;
}

export interface Siege {
  readonly reach: Reach;
  readonly lore: Lore;
  /** Runs so many statements of a seed, or stops at the first breach. */
  attack(seed: number, count: number): Promise<Report>;
  /** Runs statements that something else has made. */
  attackWith(statements: readonly Statement[]): Promise<Report>;
}

/** Statements between two looks at what must not change. */
const batchSize = 250;
/** A connection is wiped as the Data API does before others get it, but not each time, so that what is left of a call meets the next. */
const requestsBetweenResets = 6;
/** Longer than the longest siege: what is refused for its age is not refused for what it should be. */
const secondsLeft = 4 * 3600;

/** Puts the attacker and its victims into a database, and looks up what the application role can reach there. */
export async function laySiege(database: TestDatabase): Promise<Siege> {
  await database.addTenants(attacker, ...Object.keys(victims));
  await plantCanaries(database.superuser, database.owner);
  const reach = await findReach(database.app);
  const lore: Lore = {
    tenantIds: [attacker, ...Object.keys(victims)],
    rowIds: [ownId, ...knownIds],
    ownCapability: capabilityFor(attacker, { secondsLeft }),
    uselessCapabilities: uselessCapabilities(),
    schemas: [poolSchema, 'tenancy', 'registry', 'pg_catalog', 'public'],
  };
  const attackWith = (statements: readonly Statement[]) => run(database, lore, statements);
  return {
    reach,
    lore,
    attackWith,
    attack: (seed, count) => attackWith(statementsOf(seed, count, reach, lore)),
  };
}

/** Every fourth is for a connection of the attacker's own, the others come in through `tenancy.run`. */
export function statementsOf(seed: number, count: number, reach: Reach, lore: Lore): Statement[] {
  return fc
    .sample(tapes, { seed, numRuns: count })
    .map((tape, index) => statementOf(tape, index % 4 === 3 ? 'direct' : 'run', reach, lore));
}

function uselessCapabilities(): string[] {
  const guessed = { ...signingKey, secret: Buffer.from('guessed-key-guessed-key-guessed-key-guessed') };
  const good = capabilityFor('victim');
  return [
    capabilityFor('victim', { key: guessed }),
    capabilityFor('victim', { key: { ...signingKey, keyId: 'k2' } }),
    capabilityFor('victim', { secondsLeft: -1 }),
    good.slice(0, -1),
    `${good.slice(0, good.lastIndexOf('.'))}.`,
    capabilityFor(attacker).replace(attacker, 'victim'),
    // Signed as they should be, for tenants that are not served here.
    capabilityFor('sleeping-beauty', { secondsLeft }),
    capabilityFor('emigrant', { secondsLeft }),
    '',
  ];
}

async function run(database: TestDatabase, lore: Lore, statements: readonly Statement[]): Promise<Report> {
  const report: Report = {
    answered: 0,
    succeeded: 0,
    codes: new Map(),
    used: new Set(),
  };
  await using throughRun = await openListener(database);
  await using direct = await openListener(database);
  const before = await untouchables(database.superuser);
  const isBreached = () => report.breach !== undefined;
  for (let at = 0; at < statements.length && !isBreached(); at += batchSize) {
    await refill(database.superuser);
    const batch = statements.slice(at, at + batchSize);
    const of = (way: Way) => batch.filter((statement) => statement.way === way);
    await Promise.all([
      wave(throughRun, of('run'), (sql) => viaRun(lore, sql), report),
      wave(direct, of('direct'), (sql) => onConnection(lore, sql), report),
    ]);
    if (!isBreached() && (await untouchables(database.superuser)) !== before)
      report.breach = `Something changed that must not, by one of:\n${batch.map(({ sql }) => sql).join('\n')}`;
  }
  return report;
}

async function wave(
  listener: Listener,
  statements: readonly Statement[],
  wrap: (sql: string) => string,
  report: Report,
): Promise<void> {
  for (const [at, statement] of statements.entries()) {
    if (at % requestsBetweenResets === 0) await listener.reset();
    const { code, leak } = await listener.ask(wrap(statement.sql));
    report.answered += 1;
    for (const name of statement.uses) report.used.add(name);
    if (code === undefined) report.succeeded += 1;
    else count(report.codes, code);
    if (leak !== undefined) report.breach ??= `${statement.sql}\nshows\n${leak}`;
    if (report.breach !== undefined) return;
  }
}

export const viaRun = ({ ownCapability }: Lore, sql: string): string =>
  `select * from tenancy.run('${ownCapability}', '${poolSchema}', ${literal(sql.replaceAll('%', '%%'))})`;

/** As in a transaction of several calls, on a connection of which the attacker can ask anything. */
const onConnection = ({ ownCapability }: Lore, sql: string): string =>
  `rollback; begin; select tenancy.enter('${ownCapability}', '${poolSchema}', false, 'select 1', '[]'); ${sql}; commit`;

const literal = (text: string): string => `'${text.replaceAll("'", "''")}'`;

/** The attacker has rows of its own again, so that joins find something, and not too many. */
export async function refill(superuser: Client): Promise<void> {
  const own = `tenant_id = '${attacker}'`;
  const at = `'2026-02-03', '2026-02-04'`;
  await superuser.query(`begin;
    select set_config('tenancy.capability', '${capabilityFor(attacker)}', true);
    delete from pool.tasks where ${own}; delete from pool.projects where ${own}; delete from pool.idempotency_keys where ${own};
    insert into pool.projects (tenant_id, id, name, created_at, updated_at)
      values ('${attacker}', '${ownId}', 'own', ${at}), ('${attacker}', '${otherOwnId}', 'a', ${at});
    insert into pool.tasks (tenant_id, id, project_id, title, assignee, due_on, created_at, updated_at)
      values ('${attacker}', '${ownId}', '${ownId}', 'own', 'mallory', '2026-01-01', ${at});
    insert into pool.idempotency_keys (tenant_id, key, status, expires_at) values ('${attacker}', 'own', 'COMPLETED', 1);
    commit`);
}

function count(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
