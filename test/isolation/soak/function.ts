/** The function that the soak calls: application code that goes wrong in every way, behind the real middlewares and database. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import * as z from 'zod';
import { DatabaseError, tenantDatabase, type Tables } from '../../../shared/database/index.ts';
import { AppError } from '../../../shared/errors/index.ts';
import { tenantApi } from '../../../shared/middleware/index.ts';
import { currentTenant } from '../../../shared/tenancy/index.ts';
import { type Program, programSchema } from './program.ts';

const response = z.object({ tenant: z.string(), seen: z.array(z.string()) });
type Answer = z.infer<typeof response>;
type Executor = Kysely<Tables>;

const api = {
  service: 'projects',
  audience: 'tenant',
  routes: { 'POST /projects': { summary: 'Soak', body: programSchema, response } },
} as const;

export const handler = tenantApi(api, { 'POST /projects': ({ body }) => run(body) });

async function run(program: Program): Promise<Answer> {
  const { tenantId } = currentTenant();
  const seen = await work(program);
  if (currentTenant().tenantId !== tenantId) throw new Error(`The tenant ${tenantId} has become another.`);
  return { tenant: tenantId, seen };
}

async function work(program: Program): Promise<string[]> {
  const db = tenantDatabase();
  const inserts = Array.from({ length: program.rows }, (_, index) => insert(db, program, index));
  switch (program.kind) {
    case 'read':
      return read(db);
    case 'insert':
      await insertAll(db, program).execute();
      return [];
    case 'count':
      return (await count(db).execute()).map(({ name }) => name);
    case 'batch':
      return (await db.batch([...inserts, all(db)])).at(-1)?.map((row) => (row as { name: string }).name) ?? [];
    case 'failing batch':
      await db.batch([...inserts, insert(db, program, 0)]);
      return [];
    case 'transaction':
      return db.transaction().execute((transaction) => transact(transaction, program));
    case 'parallel':
      await Promise.all(inserts.map((query) => query.execute()));
      return [];
    case 'floating':
      // Application code that forgets to wait: it goes on when its answer is out, and still acts for its own tenant alone.
      void sleep(5).then(() => forgotten(db, program));
      return [];
    case 'remove':
      await db.deleteFrom('projects').where('description', '=', program.of).execute();
      return [];
  }
}

async function forgotten(db: Executor, program: Program): Promise<void> {
  await insertAll(db, program)
    .execute()
    .catch(() => undefined);
  if (program.failure === 'rejects') throw new Error(`Left behind by ${currentTenant().tenantId}.`);
}

async function transact(transaction: Executor, program: Program): Promise<string[]> {
  const statements = [
    ...Array.from({ length: program.rows }, (_, index) => () => insert(transaction, program, index).execute()),
    ...(program.counts ? [() => count(transaction).execute()] : []),
  ];
  for (const [index, statement] of statements.entries()) {
    if (index === program.failsAt) await fail(transaction, program);
    await statement();
  }
  const seen = await read(transaction);
  if (program.failsAt !== null && program.failsAt >= statements.length) await fail(transaction, program);
  return seen;
}

async function fail(transaction: Executor, { failure }: Program): Promise<void> {
  if (failure === 'throws') throw new AppError('validation-failed', 'The transaction was thrown away on purpose.');
  if (failure === 'pauses') await sleep(250);
  if (failure === 'exits') process.exit(1);
  if (failure === 'hangs') await sleep(60_000);
  // Nothing in the process can answer then, and Lambda ends it.
  while (failure === 'spins');
  if (failure === 'rejects') void Promise.reject(new Error(`Left behind by ${currentTenant().tenantId}.`));
  if (failure !== 'swallows') return;
  const broken = transaction.insertInto('projects').values({ name: '' }).execute();
  await broken.catch((error: unknown) => {
    if (!(error instanceof DatabaseError)) throw error;
  });
}

const nameOf = ({ operation }: Program, index: number) => `${currentTenant().tenantId} ${operation}/${index}`;

function insert(db: Executor, program: Program, index: number) {
  return db.insertInto('projects').values({ name: nameOf(program, index), description: program.operation });
}

function insertAll(db: Executor, program: Program) {
  const { rows, operation } = program;
  const values = Array.from({ length: rows }, (_, index) => ({ name: nameOf(program, index), description: operation }));
  return db.insertInto('projects').values(values);
}

const count = (db: Executor) =>
  db
    .updateTable('projects')
    .set({ version: sql<number>`version + 1` })
    .where('description', '=', 'counter')
    .returning('name');

const all = (db: Executor) => db.selectFrom('projects').select('name').orderBy('id').limit(20);

/** Also past the scope plugin, by a text that it cannot see through. */
async function read(db: Executor): Promise<string[]> {
  const rows = await all(db).execute();
  const raw = await sql<{ name: string }>`select name from projects order by md5(name) limit 20`.execute(db);
  return [...rows, ...raw.rows].map(({ name }) => name);
}
