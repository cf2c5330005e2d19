import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SigningKey } from '../../shared/tenancy/index.ts';
import { capabilityFor, signingKey } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { failureOf, runWith } from '../helpers/run-as.ts';
import {
  currentPlacement,
  currentTenant,
  expectForged,
  expectGood,
  expectRefused,
  run,
  setKeys,
} from './capability-uses.ts';

/** What somebody tries with a capability that was good until a moment ago. */
let database: TestDatabase;
const nextKey: SigningKey = { keyId: 'k2', secret: Buffer.from('the-next-signing-key-0123456789-0123456789') };

beforeAll(async () => {
  database = await createTestDatabase();
  await database.addTenants('acme');
});
afterAll(() => database[Symbol.asyncDispose]());
afterEach(() => setKeys(database, signingKey));

describe('a capability whose key is exchanged', () => {
  it('is good beside that of the old key for as long as both are known', async () => {
    await setKeys(database, nextKey, signingKey);
    await expectGood(database, capabilityFor('acme'));
    await expectGood(database, capabilityFor('acme', { key: nextKey }));
    await setKeys(database, nextKey);
    await expectForged(database, capabilityFor('acme'));
    await expectGood(database, capabilityFor('acme', { key: nextKey }));
  });

  it('is forged from the moment at which the old key is withdrawn, in the middle of a transaction too', async () => {
    const app = await database.connectAs('app');
    const capability = capabilityFor('acme');
    await app.query('begin');
    expect(await run(app, capability)).toEqual([{ one: 1 }]);
    expect(await currentTenant(app, capability)).toBe('acme');
    await setKeys(database, nextKey);
    expect(await failureOf(currentTenant(app, capability))).toMatchObject({ code: 'TN002' });
    await app.query('rollback; begin');
    expect(await failureOf(run(app, capability))).toMatchObject({ code: 'TN002' });
    await app.query('rollback');
  });

  it('is forged for the rest of a batch that is under way, of which nothing is kept', async () => {
    const app = await database.connectAs('app');
    const insert = { statement: `insert into projects (name) values ('half a batch') returning id` };
    const statements = [insert, { statement: 'select pg_sleep(0.5)::text' }, { statement: 'select * from projects' }];
    const batch = app.query('select * from tenancy.run_batch($1, $2, $3)', [
      capabilityFor('acme'),
      'pool',
      JSON.stringify(statements),
    ]);
    const failure = failureOf(batch);
    await sleep(200);
    await setKeys(database, nextKey);
    expect(await failure).toMatchObject({ code: 'TN002' });
    const { rows } = await database.superuser.query(`select from pool.projects where name = 'half a batch'`);
    expect(rows).toEqual([]);
  });

  it('writes nothing after its key was withdrawn, also where the transaction still sees the key', async () => {
    const app = await database.connectAs('app');
    await app.query('begin isolation level repeatable read');
    // Begins with no select, so that the transaction may write.
    await runWith(app, capabilityFor('acme'), 'with one as (select 1) select * from one');
    await setKeys(database, nextKey);
    const insert = `insert into projects (name) values ('too late') returning id`;
    expect(await failureOf(runWith(app, capabilityFor('acme'), insert))).toMatchObject({ code: 'TN007' });
    await app.query('rollback');
  });
});

describe('a capability that has expired is refused', () => {
  it.each([0, 1, 3600])('from its last second on: %d seconds after', async (seconds) => {
    await expectRefused(database, capabilityFor('acme', { secondsLeft: -seconds }), 'TN003');
    expect(await currentPlacement(database.app, capabilityFor('acme', { secondsLeft: -seconds }))).toBeNull();
  });

  it('in the middle of a transaction', async () => {
    const app = await database.connectAs('app');
    const capability = capabilityFor('acme', { secondsLeft: 2 });
    await app.query('begin');
    expect(await currentTenant(app, capability)).toBe('acme');
    await sleep(2_100);
    expect(await failureOf(run(app, capability))).toMatchObject({ code: 'TN003' });
    await app.query('rollback');
  });
});
