import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseRoles, tenantHomeName } from '../../shared/contract/index.ts';
import { type SiloRunner, startSiloRunner } from '../helpers/silo-runner.ts';
import { workerPostgres } from '../helpers/worker-postgres.ts';
import type { Hole } from './audit-cases/audit-case.ts';
import { auditCases } from './audit-cases/audit-cases.ts';

/** Of each class that a schema can have, the first hole of the pool. The registry is compared elsewhere: it is in one database alone. */
const holes = auditCases.flatMap(({ class: number, holes: all }): readonly (Hole & { readonly class: number })[] => {
  const first = all.find(({ plant, findings }) => /\bpool\./.test(plant) && findings === undefined);
  return first && number !== 33 ? [{ ...first, class: number }] : [];
});

let runner: SiloRunner;
beforeAll(async () => {
  runner = await startSiloRunner();
});
afterAll(() => runner[Symbol.asyncDispose]());

/** Where a tenant lives, as the superuser sees it. */
interface Place {
  readonly superuser: Client;
  readonly schema: string;
  /** What application code logs in as. */
  readonly role: string;
}

async function makePlace(model: 'bridge' | 'silo'): Promise<Place> {
  const { postgres } = runner.api;
  const tenantId = runner.newTenant();
  const schema = tenantHomeName(tenantId);
  if (model === 'silo') await runner.addSilo(tenantId);
  else {
    await postgres.owner.query('select tenancy.make_home($1)', [tenantId]);
    await postgres.addTenants('globex');
  }
  const { port, password } = workerPostgres();
  const database = model === 'silo' ? schema : postgres.name;
  const superuser = new Client({ host: '127.0.0.1', port, user: 'postgres', password, database });
  await superuser.connect();
  return { superuser, schema, role: model === 'silo' ? schema : databaseRoles.app };
}

describe.each(['bridge', 'silo'] as const)('the audit of a %s', (model) => {
  let place: Place;
  beforeAll(async () => {
    place = await makePlace(model);
  });
  afterAll(() => place.superuser.end());

  const there = (words: string): string =>
    words.replaceAll(/\bpool\b/g, place.schema).replaceAll(databaseRoles.app, place.role);
  async function audit(): Promise<{ class: number; object: string }[]> {
    await place.superuser.query('set local role tenantry_owner');
    const { rows } = await place.superuser.query<{ class: number; object: string }>('select * from tenancy.audit()');
    await place.superuser.query('reset role');
    return rows;
  }

  it('has holes of most classes to look for, and finds none before', async () => {
    expect(holes.length).toBeGreaterThan(24);
    expect(await audit()).toEqual([]);
  });

  it.each(holes)('finds class $class: $title', async ({ class: number, plant, object }) => {
    await place.superuser.query('begin');
    try {
      await place.superuser.query(there(plant));
      const objects = (await audit()).filter((finding) => finding.class === number).map((finding) => finding.object);
      expect(objects.join('\n')).toContain(there(object));
    } finally {
      await place.superuser.query('rollback');
    }
  });
});
