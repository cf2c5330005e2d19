import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { applyMigrations, readAllMigrations } from '../../shared/database/migrator.ts';
import { mintCapability, type SigningKey } from '../../shared/tenancy/index.ts';
import { capabilityFor, signingKey } from '../helpers/capability.ts';
import { createTestDatabase, type TestDatabase } from '../helpers/database.ts';
import { executeWith } from '../helpers/database-template.ts';
import { failureOf, runWith } from '../helpers/run-as.ts';
import { currentTenant, expectForged, expectGood, expectRefused, run, setKeys } from './capability-uses.ts';

/** What somebody tries who has seen a capability, or has one that was good once, or is good elsewhere. */
const insertProject = `insert into projects (name) values ('x') returning id`;
let database: TestDatabase;
let otherDatabase: TestDatabase;
const otherKey: SigningKey = { keyId: 'k1', secret: Buffer.from('the-key-of-another-database-0123456789-01') };
const nextKey: SigningKey = { keyId: 'k2', secret: Buffer.from('the-next-signing-key-0123456789-0123456789') };

beforeAll(async () => {
  [database, otherDatabase] = await Promise.all([createTestDatabase(), createTestDatabase()]);
  await database.addTenants('acme', 'globex');
  await otherDatabase.addTenants('acme');
  // A schema of its own for one tenant.
  const { tenant } = await readAllMigrations('migrations');
  await applyMigrations(executeWith(database.owner), 'branch', tenant);
  await database.owner.query(`select tenancy.set_placement('globex', 'pool', 'moved')`);
  await database.owner.query(`select tenancy.set_placement('globex', 'branch', 'active')`);
  await runWith(
    database.app,
    capabilityFor('globex'),
    `insert into projects (name) values ('x') returning id`,
    [],
    'branch',
  );
});
afterAll(async () => {
  await database[Symbol.asyncDispose]();
  await otherDatabase[Symbol.asyncDispose]();
});
afterEach(() => setKeys(database, signingKey));

describe('a capability that was tampered with is forged', () => {
  it.each([0, 1, 2, 3, 4, 5, 6, 7])('with bit %d flipped, in every position', async (bit) => {
    const good = capabilityFor('acme');
    await expectGood(database, good);
    for (let at = 0; at < good.length; at += 1) {
      // A byte above 127 would be no text; the character of that number is.
      const flipped = String.fromCharCode(good.charCodeAt(at) ^ (1 << bit));
      await expectForged(database, good.slice(0, at) + flipped + good.slice(at + 1));
    }
  });

  it('cut off at any length, from either end, and with any character left out or doubled', async () => {
    const good = capabilityFor('acme');
    await expectRefused(database, '', 'TN001');
    for (let at = 1; at < good.length; at += 1) {
      await expectForged(database, good.slice(0, at));
      await expectForged(database, good.slice(at));
      await expectForged(database, good.slice(0, at) + good.slice(at + 1));
      await expectForged(database, good.slice(0, at) + good.slice(at - 1));
    }
  });

  it('written otherwise', async () => {
    const good = capabilityFor('acme');
    const [version = '', keyId = '', tenant = '', expiry = '', mac = ''] = good.split('.');
    const standard = Buffer.from(mac, 'base64url').toString('base64');
    for (const parts of [
      [version, keyId, tenant, expiry, standard],
      [version, keyId, tenant, expiry, Buffer.from(mac, 'base64url').toString('hex')],
      [version, keyId, tenant, expiry, mac.toLowerCase()],
      [version, keyId, tenant, expiry, '', mac],
      [version, keyId, tenant, `+${expiry}`, mac],
      [version, keyId, tenant, `0${expiry}`, mac],
      [version, keyId, tenant, '99999999999999999999', mac],
      [version, keyId, tenant, `${Number(expiry) + 1}`, mac],
      [version, keyId, 'ACME', expiry, mac],
      [version, keyId, 'acme.globex', expiry, mac],
      [version, `k1' or '1'='1`, tenant, expiry, mac],
      [version, '%', tenant, expiry, mac],
      ['V1', keyId, tenant, expiry, mac],
      ['v1', '', tenant, expiry, mac],
    ]) {
      await expectForged(database, parts.join('.'));
    }
    for (const text of [
      ` ${good}`,
      `${good} `,
      `${good}\n`,
      `${good}\t`,
      `${good}.${good}`,
      `${good}, ${good}`,
      `"${good}"`,
    ])
      await expectForged(database, text);
    await expectForged(database, 'x'.repeat(1_000_000));
  });
});

describe('a capability of another key', () => {
  it('is forged, whatever key it names', async () => {
    await setKeys(database, signingKey, nextKey);
    for (const key of [
      otherKey,
      { ...otherKey, keyId: 'k3' },
      { ...signingKey, keyId: 'k2' },
      { ...nextKey, keyId: 'k1' },
    ])
      await expectForged(database, capabilityFor('acme', { key }));
    await expectForged(
      database,
      mintCapability({ keyId: 'k1', secret: new Uint8Array() }, 'acme', Date.now() / 1000 + 60),
    );
  });
});

describe('a capability that is good elsewhere is good there alone', () => {
  it('in a database with another key', async () => {
    await setKeys(otherDatabase, otherKey);
    await expectRefused(otherDatabase, capabilityFor('acme'), 'TN002');
    expect(await run(otherDatabase.app, capabilityFor('acme', { key: otherKey }))).toEqual([{ one: 1 }]);
    await expectForged(database, capabilityFor('acme', { key: otherKey }));
  });

  it('in a database with the same key in which its tenant is not at home', async () => {
    await setKeys(otherDatabase, signingKey);
    await expectRefused(otherDatabase, capabilityFor('globex'), 'TN004');
  });

  it("in another tenant's schema, named as the home or in the statement", async () => {
    const capability = capabilityFor('acme');
    expect(await failureOf(run(database.app, capability, 'branch'))).toMatchObject({ code: 'TN004' });
    expect(await failureOf(currentTenant(database.app, capability, 'branch'))).toMatchObject({ code: 'TN004' });
    for (const statement of ['select * from branch.projects', `delete from branch.tasks returning id`])
      expect(await failureOf(runWith(database.app, capability, statement))).toMatchObject({ code: 'TN004' });
    await runWith(database.app, capability, insertProject);
    const both = `select * from projects, branch.projects b`;
    expect(await failureOf(runWith(database.app, capability, both))).toMatchObject({ code: 'TN004' });
  });

  it.each(['tenancy', 'registry', 'pg_catalog', 'nowhere', '', ' pool', 'POOL', 'pool, branch', '"pool"', `pool'; --`])(
    'nor in a schema called %j',
    async (schema) => {
      expect(await failureOf(run(database.app, capabilityFor('acme'), schema))).toMatchObject({ code: 'TN004' });
      expect(await failureOf(currentTenant(database.app, capabilityFor('acme'), schema))).toMatchObject({
        code: 'TN004',
      });
    },
  );
});
