import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Manifest } from '../../functions/operations/manifest.ts';
import { createOperation, readOperation } from '../../shared/control/operations.ts';
import type { Operation } from '../../shared/control/operations-schema.ts';
import { addTablesOfAllTypes, insertRandomRows, randomRows } from '../helpers/all-types.ts';
import { type OperationWorld, startOperationWorld, type TestSubject } from '../helpers/operations/operation-world.ts';
import { asTenant } from '../helpers/tenant-row-samples.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
  await addTablesOfAllTypes(world.database.postgres.owner);
});
afterAll(() => world[Symbol.asyncDispose]());

const tables = ['projects', 'tasks', 'idempotency_keys', '"All Types"', 'chapters', 'pages'];

/** All rows of a tenant, byte by byte as Postgres prints them, without the tenant. */
async function rowsOf(tenantId: string): Promise<Record<string, string[]>> {
  const { superuser } = world.database.postgres;
  const found: Record<string, string[]> = {};
  for (const table of tables) {
    const { rows } = await superuser.query<{ row: string }>(
      `select replace(t::text, $1, 'TENANT') as row from pool.${table} t where tenant_id = $1 order by 1`,
      [tenantId],
    );
    found[table] = rows.map(({ row }) => row);
  }
  return found;
}

async function perform(request: Parameters<typeof createOperation>[0], { ports }: TestSubject): Promise<string> {
  const { id } = await createOperation(request);
  await world.run(id, ports);
  return id;
}

async function restore(from: string, subject: TestSubject): Promise<string> {
  const { placement } = world.database.postgres;
  const input = { name: 'New', plan: 'pro', placement, from } as const;
  return perform({ kind: 'onboard', tenantId: subject.tenantId, input, actor: 'olga' }, subject);
}

const prepareWith = async (statements: readonly string[]): Promise<TestSubject> => {
  const subject = await world.prepare('export');
  await asTenant(world.database.postgres.superuser, subject.tenantId, statements);
  return subject;
};

const exportOf = (subject: TestSubject): Promise<string> =>
  perform({ kind: 'export', tenantId: subject.tenantId, input: {}, actor: 'olga' }, subject);

describe('rows of every type', () => {
  it(
    'are the same once they are exported and restored for another tenant; and erasing one leaves the other as it was',
    { timeout: 300_000 },
    async () => {
      await fc.assert(
        fc.asyncProperty(randomRows, randomRows, async (some, others) => {
          const a = await prepareWith(insertRandomRows(some));
          const b = await prepareWith(insertRandomRows(others));
          const [rowsOfA, rowsOfB] = [await rowsOf(a.tenantId), await rowsOf(b.tenantId)];

          const exported = await exportOf(a);
          await expect(readOperation(exported)).resolves.toMatchObject({ state: 'succeeded', error: null });
          const c = await world.prepare('onboard');
          await expect(readOperation(await restore(exported, c))).resolves.toMatchObject({ error: null, percent: 100 });
          expect(await rowsOf(c.tenantId)).toEqual(rowsOfA);

          const gone = { kind: 'offboard', tenantId: a.tenantId, input: { export: false }, actor: 'olga' } as const;
          const offboarded = await readOperation(await perform(gone, a));
          expect(offboarded).toMatchObject({ state: 'succeeded', error: null });
          expect(offboarded?.counts['erasedRows']).toBe(Object.values(rowsOfA).flat().length);
          expect(Object.values(await rowsOf(a.tenantId)).flat()).toEqual([]);
          expect(await rowsOf(b.tenantId)).toEqual(rowsOfB);
          expect(await rowsOf(c.tenantId)).toEqual(rowsOfA);
        }),
        { numRuns: 12 },
      );
    },
  );

  it('may have more than 64 KB, or than a page has room for', async () => {
    const big = `insert into pool.projects (tenant_id, name, description) values ($1, 'big', repeat('ä"\\', 3000))`;
    const huge = `insert into pool."All Types" (tenant_id, id, a_text, a_bytea) values
      ($1, gen_random_uuid(), repeat(E'line\\n"ü"', 60000), decode(repeat('00ff', 200000), 'hex'))`;
    const many = `insert into pool."All Types" (tenant_id, id, a_text)
      select $1, gen_random_uuid(), repeat('x', 5000) from generate_series(1, 300)`;
    const a = await prepareWith([big, huge, many]);
    const exported = await exportOf(a);
    const c = await world.prepare('onboard');
    await expect(readOperation(await restore(exported, c))).resolves.toMatchObject({ error: null });
    expect(await rowsOf(c.tenantId)).toEqual(await rowsOf(a.tenantId));
  });

  it('are refused in words where no call takes them, and nothing is left of the tenant then', async () => {
    const a = await prepareWith([
      `insert into pool.projects (tenant_id, name) values ($1, 'first')`,
      `insert into pool."All Types" (tenant_id, id, a_text) values ($1, gen_random_uuid(), repeat('x', 4000000))`,
    ]);
    const exported = await exportOf(a);
    await expect(readOperation(exported)).resolves.toMatchObject({ error: null });
    const c = await world.prepare('onboard');
    await expect(readOperation(await restore(exported, c))).resolves.toMatchObject({
      state: 'failed',
      error: { code: 'export-unusable', message: expect.stringContaining('A row of the table All Types has 40') },
    });
    expect(Object.values(await rowsOf(c.tenantId)).flat()).toEqual([]);
  });
});

describe('restoring', () => {
  const emptyTenant = () => world.prepare('onboard');
  const refused = async (from: string, message: string): Promise<void> => {
    const subject = await emptyTenant();
    await expect(readOperation(await restore(from, subject))).resolves.toMatchObject({
      state: 'failed',
      error: { code: 'export-unusable', message: expect.stringContaining(message) },
    });
    await expect(
      world.database.postgres.superuser.query('select from registry.tenants where tenant_id = $1', [subject.tenantId]),
    ).resolves.toMatchObject({ rowCount: 0 });
  };

  it('takes the prefix of an export too, also when nothing is known of its operation any more', async () => {
    const a = await world.prepare('export');
    const { result } = (await readOperation(await exportOf(a))) ?? {};
    const c = await emptyTenant();
    await expect(readOperation(await restore(String(result?.['export']), c))).resolves.toMatchObject({ error: null });
    expect(await rowsOf(c.tenantId)).toEqual(await rowsOf(a.tenantId));
  });

  it('refuses an operation that exported nothing, and an export without its manifest', async () => {
    await refused('0190a0a0-0000-7000-8000-000000000000', 'has made no export');
    const a = await world.prepare('export');
    const { result } = (await readOperation(await exportOf(a))) ?? {};
    rmSync(fileOf(result, 'manifest.json'));
    await refused(String(result?.['export']), 'has made no export');
  });

  it('refuses a file that is not what the manifest says, or is not there, before it has made anything', async () => {
    const a = await world.prepare('export');
    const exported = await exportOf(a);
    const file = fileOf((await readOperation(exported))?.result, fileOfTable(a.tenantId, 'tasks'));
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace('Task 1', 'Task 9'));
    await refused(exported, 'tasks.1.jsonl is not what the manifest says');
    writeFileSync(file, text.slice(0, text.lastIndexOf('{')));
    await refused(exported, 'is not what the manifest says: 3 rows');
    rmSync(file);
    await refused(exported, 'tasks.1.jsonl is not there');
  });

  it('refuses a manifest that does not agree with itself, or names files that are not its own', async () => {
    const a = await world.prepare('export');
    const exported = await exportOf(a);
    const file = fileOf((await readOperation(exported))?.result, 'manifest.json');
    const manifest = JSON.parse(readFileSync(file, 'utf8')) as Manifest;
    const [first, ...others] = manifest.tables;
    const [part, ...parts] = first?.files ?? [];
    const withFiles = (files: readonly object[]) => ({ ...manifest, tables: [{ ...first, files }, ...others] });
    const without = { ...manifest, tables: manifest.tables.filter(({ name }) => name !== 'tasks') };
    const elsewhere = withFiles([{ ...part, file: `../${part?.file}` }, ...parts]);
    const late = withFiles([{ ...part, after: ['x'] }, ...parts]);
    const twice = { ...manifest, tables: [...manifest.tables, ...manifest.tables] };
    for (const damaged of [
      without,
      elsewhere,
      late,
      twice,
      withFiles(parts),
      { ...manifest, tenantId: 'somebody-else' },
    ]) {
      writeFileSync(file, JSON.stringify(damaged));
      await refused(exported, 'do not belong together');
    }
  });

  it('passes over a table that was empty and is gone', async () => {
    const { owner } = world.database.postgres;
    await owner.query(
      'create table pool.passing (tenant_id text not null, id int not null, primary key (tenant_id, id))',
    );
    await owner.query(`select tenancy.protect('pool.passing')`);
    const exported = await exportOf(await world.prepare('export'));
    await owner.query('drop table pool.passing');
    await expect(readOperation(await restore(exported, await emptyTenant()))).resolves.toMatchObject({ error: null });
  });

  it('goes by the references that tables have now, not by those of the export', async () => {
    const { owner } = world.database.postgres;
    const asColumns = '(tenant_id text not null, id int not null, next int, later int, primary key (tenant_id, id))';
    for (const table of ['pool.early', 'pool.later']) {
      await owner.query(`create table ${table} ${asColumns}`);
      await owner.query(`select tenancy.protect($1)`, [table]);
    }
    const tie = (column: string, table: string): string =>
      `add constraint to_${column} foreign key (tenant_id, ${column}) references pool.${table} (tenant_id, id) not valid`;
    const a = await prepareWith([
      'insert into pool.later (tenant_id, id) values ($1, 1)',
      'insert into pool.early (tenant_id, id, next, later) values ($1, 1, 2, 1), ($1, 2, null, 1)',
    ]);
    const loose = await exportOf(a);
    await owner.query(`alter table pool.early ${tie('next', 'early')}, ${tie('later', 'later')}`);
    await expect(readOperation(await restore(loose, await emptyTenant()))).resolves.toMatchObject({ error: null });
    const tied = await exportOf(a);
    await owner.query('alter table pool.early drop constraint to_next, drop constraint to_later');
    await expect(readOperation(await restore(tied, await emptyTenant()))).resolves.toMatchObject({ error: null });
    await owner.query('drop table pool.early, pool.later');
  });

  it('names the table whose rows break a rule that it did not have then', async () => {
    const { owner } = world.database.postgres;
    const exported = await exportOf(await world.prepare('export'));
    await owner.query(`alter table pool.tasks add constraint brief check (char_length(title) < 2) not valid`);
    await refused(exported, 'The rows of the table tasks do not fit into it: A value is outside of what its column');
    await owner.query('alter table pool.tasks drop constraint brief');
  });

  it('refuses rows that do not fit into the tables, and says why', async () => {
    const { owner } = world.database.postgres;
    const a = await world.prepare('export');
    const exported = await exportOf(a);
    await owner.query(`alter table pool.tasks add priority integer not null default 1`);
    await refused(exported, 'tasks.priority is new, and may not be null or has a default');
    await owner.query('alter table pool.tasks drop priority, add note text');
    const c = await emptyTenant();
    await expect(readOperation(await restore(exported, c))).resolves.toMatchObject({ error: null });
    await owner.query('alter table pool.tasks drop note, alter title type varchar(600)');
    await refused(exported, 'tasks.title was text and is character varying(600)');
    await owner.query('alter table pool.tasks alter title type text');
    await owner.query('alter table pool.tasks rename assignee to owner');
    await refused(exported, 'tasks.assignee is not there any more');
    await owner.query('alter table pool.tasks rename owner to assignee');
  });
});

function fileOf(result: Operation['result'] | undefined, name: string): string {
  return join(world.exports.folder, String(result?.['export']).replace(/^exports\//, ''), name);
}

/** The only file that a tenant's export has of a table. */
function fileOfTable(tenantId: string, table: string): string {
  const [exported] = Object.values(world.exports.of(tenantId));
  const [file, ...more] = exported?.manifest.tables.find(({ name }) => name === table)?.files ?? [];
  if (!file || more.length > 0) throw new Error(`The table ${table} has not one file.`);
  return file.file;
}
