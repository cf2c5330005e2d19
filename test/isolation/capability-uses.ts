import type { Client } from 'pg';
import { expect } from 'vitest';
import type { SigningKey } from '../../shared/tenancy/index.ts';
import type { TestDatabase } from '../helpers/database.ts';
import { failureOf, runWith } from '../helpers/run-as.ts';

/** All that a database can be asked with a capability. */
/** Makes exactly these keys valid. */
export async function setKeys({ owner }: TestDatabase, ...keys: SigningKey[]): Promise<void> {
  const entries = keys.map(({ keyId, secret }) => ({ keyId, secret: Buffer.from(secret).toString() }));
  await owner.query('select tenancy.set_signing_keys($1)', [JSON.stringify(entries)]);
}

export const run = (app: Client, capability: string, schema = 'pool') =>
  runWith(app, capability, 'select 1 as one', [], schema);

export async function currentTenant(app: Client, capability: string, home = 'pool'): Promise<string> {
  await app.query(`select set_config('tenancy.capability', $1, false)`, [capability]);
  const { rows } = await app.query<{ tenant: string }>('select tenancy.current_tenant($1) as tenant', [home]);
  return rows[0]?.tenant ?? '';
}

export async function currentPlacement(app: Client, capability: string): Promise<unknown> {
  const { rows } = await app.query<{ placement: unknown }>('select registry.current_placement($1) as placement', [
    capability,
  ]);
  return rows[0]?.placement;
}

/** Refused by everything in a database that takes a capability, and in the same way. */
export async function expectRefused({ app }: TestDatabase, capability: string, code: string): Promise<void> {
  expect(await failureOf(run(app, capability)), `run with ${capability}`).toMatchObject({ code });
  expect(await failureOf(currentTenant(app, capability)), `current_tenant with ${capability}`).toMatchObject({ code });
}

export async function expectForged(database: TestDatabase, capability: string): Promise<void> {
  await expectRefused(database, capability, 'TN002');
  expect(await currentPlacement(database.app, capability), `current_placement with ${capability}`).toBeNull();
}

export async function expectGood({ app }: TestDatabase, capability: string): Promise<void> {
  expect(await run(app, capability)).toEqual([{ one: 1 }]);
  expect(await currentTenant(app, capability)).toBe('acme');
  expect(await currentPlacement(app, capability)).toMatchObject({ schema: 'pool' });
}
