import { setTimeout as sleep } from 'node:timers/promises';
import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilityFor } from '../helpers/capability.ts';
import { failureOf, runAs, runWith } from '../helpers/run-as.ts';
import { Attack, own, secret, victims } from './side-channels/attack.ts';

/** What injected SQL gets from sessions, errors and storage that no policy covers. Plans and statistics: side-channels-plans.test.ts. */
let attack: Attack;

beforeAll(async () => {
  attack = await Attack.prepare();
});
afterAll(() => attack[Symbol.asyncDispose]());

/** What a statement calls that shall go on until the end of `work`. */
const gate = 'pg_advisory_xact_lock_shared(7)::text';

/** Does `work` while a statement waits at the gate. */
async function whileWaiting<T>(statement: () => Promise<unknown>, work: () => Promise<T>): Promise<T> {
  const { superuser } = attack.api.postgres;
  await superuser.query('select pg_advisory_lock(7)');
  const waiting = statement();
  const result = await untilWaiting(1)
    .then(work)
    .finally(() => superuser.query('select pg_advisory_unlock(7)'));
  await waiting;
  return result;
}

async function untilWaiting(statements: number): Promise<void> {
  const waiting = `select from pg_locks where locktype = 'advisory' and not granted
    and database = (select oid from pg_database where datname = current_database())`;
  for (let looks = 0; (await attack.api.postgres.superuser.query(waiting)).rowCount !== statements; looks += 1) {
    if (looks === 2_000) throw new Error(`Nobody knows of ${statements} statements that wait.`);
    await sleep(5);
  }
}

describe('a connection', () => {
  it('can be ended by SQL in the request of another tenant, which gets nothing by it', async () => {
    const { app, superuser } = attack.api.postgres;
    const other = await attack.api.postgres.connectAs('app');
    await runAs(other, 'victim', 'select 1 as one');
    const ended = new Promise((resolve) => other.once('end', resolve));
    const others = `pid <> pg_backend_pid() and datname = current_database() and usename = current_user`;
    const rows = await runAs(app, 'mallory', `select pg_terminate_backend(pid) from pg_stat_activity where ${others}`);
    expect(rows.length).toBeGreaterThan(0);
    expect(rows.every((row) => JSON.stringify(row) === '{"pg_terminate_backend":true}')).toBe(true);
    await ended;
    const { rows: left } = await superuser.query(
      `select count(*)::int as n from pool.projects where tenant_id = 'victim'`,
    );
    expect(left).toEqual([{ n: victims }]);
  });

  const endOthers = () =>
    attack.get(`select pg_terminate_backend(pid) from pg_stat_activity
      where pid <> pg_backend_pid() and datname = current_database() and application_name = 'victim'`);
  const sent = () => attack.api.calls.filter(({ operation }) => operation === 'ExecuteStatement').length;

  it('that is ended fails the write of another tenant, which is not sent again, and takes nothing of it', async () => {
    const { api } = attack;
    const before = sent();
    const update = sql`update projects set archived = true where ${sql.raw(gate)} is not null and name = ${secret(1)}`;
    const write = api.as('victim', () => sql`${update} returning id`.execute(api.db)).catch((error: unknown) => error);
    await whileWaiting(() => write, endOthers);
    expect(await write).toMatchObject({ code: 'database-unavailable', sqlState: '57P01', retryAfterSeconds: 5 });
    expect(sent() - before).toBe(1);
    const { rows } = await api.postgres.superuser.query('select from pool.projects where archived');
    expect(rows).toEqual([]);
  });

  it('that is ended has a read of another tenant sent again, which is then answered', async () => {
    const { api } = attack;
    const before = sent();
    const read = api.as('victim', () => sql`select ${sql.raw(gate)}, count(*) as n from projects`.execute(api.db));
    await whileWaiting(() => read, endOthers);
    expect((await read).rows).toMatchObject([{ n: victims }]);
    expect(sent() - before).toBe(2);
  });
});

describe('pg_stat_activity', () => {
  const activity = 'select application_name, query from pg_stat_activity where usename = current_user';

  it('tells which tenants have just been active, and neither their statements nor their capabilities', async () => {
    const other = await attack.api.postgres.connectAs('app');
    const busy = () => runAs(other, 'victim', `select ${gate}, %1$L::text as said`, [secret(1)]);
    const seen = await whileWaiting(busy, () => attack.tell(activity));
    expect(seen).toContain('"application_name":"victim"');
    expect(seen).toContain('select * from tenancy.run($1, $2, $3, $4)');
    expect(seen).not.toMatch(/secret-of-victim|v1\.k1\.victim/);
  });

  it('tells no more of statements that come through shared/database', async () => {
    const { api } = attack;
    const busy = () => api.as('victim', () => sql`select ${sql.raw(gate)}, ${secret(1)}::text`.execute(api.db));
    const seen = await whileWaiting(busy, () => attack.tell(activity));
    expect(seen).toMatch(/"victim","query":"select \* from tenancy\.run\(\$1, \$2, \$3/);
    expect(seen).not.toMatch(/secret-of-victim|v1\.k1\.victim/);
  });
});

describe('error messages', () => {
  it.each([
    ['a cast', `select * from projects where description::int = 1`],
    ['a cast of everything', `select string_agg(description, ',')::int from projects`],
    ['a duplicate', `insert into projects (name) values ('mine-1') returning id`],
    ['a check', `update projects set name = '' returning id`],
    ['a stolen name', `update projects set tenant_id = 'victim', name = '${secret(1)}' returning id`],
  ])('quote values of its own rows at most: %s', async (_, statement) => {
    const told = await attack.tell(statement);
    expect(told).toMatch(/^(22P02|23505|23514|42501) /);
    expect(told.replaceAll(statement, '')).not.toContain(secret(2));
  });

  it('quote nothing at all to clients', async () => {
    const cast = sql.raw(`select * from projects where description::int = 1`);
    const error: unknown = await attack.api.as('mallory', () => cast.execute(attack.api.db)).catch((e: unknown) => e);
    expect(error).toMatchObject({ code: 'validation-failed' });
    expect((error as Error).message).not.toContain('mine');
  });
});

describe('advisory locks', () => {
  it('let it hold up writes of a tenant that it has watched, for as long as its own statement runs', async () => {
    const { postgres } = attack.api;
    const [writer, later] = [await postgres.connectAs('app'), await postgres.connectAs('app')];
    await writer.query('begin');
    const update = `update projects set archived = false where name = %1$L returning id`;
    await runAs(writer, 'victim', update, [secret(1)]);
    const [lock] = await attack.get(
      `select (classid::bigint << 32 | objid::bigint)::text as key from pg_locks where locktype = 'advisory'
       and database = (select oid from pg_database where datname = current_database())`,
    );
    await writer.query('commit');
    const hold = () => attack.get(`select pg_advisory_lock(${String(lock?.key)})::text, ${gate}`);
    const write = await whileWaiting(hold, async () => {
      const held = runAs(later, 'victim', update, [secret(1)]);
      await untilWaiting(2);
      return { held };
    });
    await attack.get('select 1 as next');
    expect(await write.held).toHaveLength(1);
  });

  it('hold nothing up longer than the login lets a statement run', async () => {
    const settings = `select unnest(setconfig) as setting from pg_db_role_setting where setrole = 'tenantry_app'::regrole`;
    expect(await attack.api.postgres.superuser.query(settings)).toMatchObject({
      rows: expect.arrayContaining([{ setting: 'statement_timeout=28s' }]),
    });
  });
});

describe('NOTIFY', () => {
  it('lets it call out, and hear nothing', async () => {
    await attack.get(`select pg_notify('anybody', 'there')::text`);
    expect(await attack.tell('listen anybody')).toMatch(/^TN010 /);
    expect(await attack.get('select pg_listening_channels() as channel')).toEqual([]);
  });
});

describe('temp tables, COPY and cursors', () => {
  it.each([
    'create temp table loot as select * from projects',
    'select * into temp loot from projects',
    'copy projects to stdout',
    `copy (select 1) to program 'id'`,
    'declare loot cursor with hold for select * from projects',
    'fetch all from loot',
    'prepare loot as select * from projects',
    'execute loot',
  ])('are refused before anything is done: %s', async (statement) => {
    expect(await attack.tell(statement)).toMatch(/^(TN010|42P11) /);
  });

  it('are no way out for the stolen login either', async () => {
    const { app } = attack.api.postgres;
    for (const text of [
      'create temp table loot (a int)',
      `copy (select 1) to program 'id'`,
      `copy (select 1) to '/tmp/x'`,
    ])
      expect(await failureOf(app.query(text))).toMatchObject({ code: '42501' });
  });

  it('show no cursor but its own', async () => {
    const cursors = await attack.get('select statement from pg_cursors');
    expect(cursors.every(({ statement }) => /pg_cursors|tenancy\.run\(\$1/.test(String(statement)))).toBe(true);
  });
});

describe('set_config, SET and RESET', () => {
  it.each(['set statement_timeout = 0', 'reset all', 'discard all', 'reset tenancy.capability'])(
    'are refused as statements: %s',
    async (statement) => {
      expect(await attack.tell(statement)).toMatch(/^TN010 /);
    },
  );

  const spoil = `select set_config('default_transaction_read_only', 'on', false),
    set_config('tenancy.capability', current_setting('tenancy.capability'), false)`;

  it('let it spoil a connection that is not wiped, so that the next write fails, and give it no row', async () => {
    const shared = await attack.api.postgres.connectAs('app');
    await runAs(shared, 'mallory', spoil);
    const rows = await runAs(shared, 'victim', 'select count(*) as n from projects');
    expect(rows).toEqual([{ n: victims }]);
    const write = runAs(shared, 'victim', 'update projects set archived = false returning id');
    expect(await failureOf(write)).toMatchObject({ code: '25006' });
  });

  it('leave nothing behind where each call starts with a clean session', async () => {
    await attack.api.as('mallory', () => sql.raw(spoil).execute(attack.api.db));
    const write = () => attack.api.db.updateTable('projects').set({ archived: false }).execute();
    expect(await attack.api.as('mallory', write)).toMatchObject([{ numUpdatedRows: BigInt(own) }]);
  });
});

describe('large objects', () => {
  it('are storage that two tenants into whom SQL is injected can share, which the audit then finds', async () => {
    const { app, owner, superuser } = attack.api.postgres;
    const [put] = await attack.get(`with x as (select 1) select lo_from_bytea(0, 'left here')::text as id from x`);
    const taken = await runAs(app, 'victim', `select convert_from(lo_get(%1$L), 'UTF8') as found`, [put?.id]);
    expect(taken).toEqual([{ found: 'left here' }]);
    const findings = await owner.query('select * from tenancy.audit() where class = 31');
    expect(findings.rows).toHaveLength(1);
    await superuser.query('select lo_unlink($1)', [put?.id]);
  });

  it('hold nothing of other tenants, since nothing of the product writes any', async () => {
    expect(await attack.get('select count(*) as objects from pg_largeobject_metadata')).toEqual([{ objects: 0 }]);
  });
});

describe('a capability', () => {
  it('can be read by SQL in its own request, and is good for its own tenant alone, until it expires', async () => {
    const capability = capabilityFor('mallory');
    const look = `select current_setting('tenancy.capability') as text`;
    expect(await runWith(attack.api.postgres.app, capability, look)).toEqual([{ text: capability }]);
  });
});
