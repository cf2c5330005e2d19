import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { capabilityFor, signingKey } from '../helpers/capability.ts';
import { failureOf, runAs, runWith } from '../helpers/run-as.ts';
import { Attack, own, secret, victims } from './side-channels/attack.ts';

/** What SQL that is injected into a request of mallory gets by a capability of the victim, as far as it is good. */
let attack: Attack;

beforeAll(async () => {
  attack = await Attack.prepare();
});
afterAll(() => attack[Symbol.asyncDispose]());

const count = 'select count(*)::int as n from projects';
/** Reads with a capability in place of that of the request. */
const nestedWith = (capability: string): string =>
  `select * from tenancy.run('${capability}', 'pool', 'select name from projects')`;
/** Two scans of one table, and a capability that is put in between them. */
const swapWith = (capability: string): string => `
  select a.name as first, b.name as second
  from (select name from projects order by name limit 1 offset 0) a
  cross join lateral (select set_config('tenancy.capability', left(a.name, 0) || '${capability}', true) as x offset 0) s
  cross join lateral (select name from projects where s.x <> '' order by name limit 1 offset 0) b`;

describe('a capability of another tenant that is no longer good', () => {
  const stolen: Readonly<Record<string, () => string>> = {
    truncated: () => capabilityFor('victim').slice(0, -1),
    expired: () => capabilityFor('victim', { secondsLeft: -1 }),
    're-signed with another key': () =>
      capabilityFor('victim', { key: { ...signingKey, secret: Buffer.from('another-key-another-key-another-key-') } }),
    'prolonged without the key': () => {
      const [version, key, tenant, expiry, mac] = capabilityFor('victim').split('.');
      return [version, key, tenant, Number(expiry) + 3_600, mac].join('.');
    },
  };

  it.each(Object.entries(stolen))('gets no row, and fails what it was put into: %s', async (_, make) => {
    for (const statement of [nestedWith(make()), swapWith(make())])
      expect(await attack.tell(statement)).toMatch(/^TN00[23] The capability (has expired|is forged)/);
    expect(await attack.get(count)).toEqual([{ n: own }]);
  });
});

describe('a capability of another tenant that is still good', () => {
  it('is good on any connection and in any request until it expires, for the rows of its tenant alone', async () => {
    const reused = capabilityFor('victim', { secondsLeft: 2 });
    const { app } = attack.api.postgres;
    expect(await runWith(app, reused, count)).toEqual([{ n: victims }]);
    const other = await attack.api.postgres.connectAs('app');
    expect(await runWith(other, reused, count)).toEqual([{ n: victims }]);
    const inAnothersRequest = await attack.get(nestedWith(reused));
    expect(inAnothersRequest).toHaveLength(victims);
    expect(JSON.stringify(inAnothersRequest)).not.toContain('mine');
    await sleep(2_100);
    expect(await failureOf(runWith(other, reused, count))).toMatchObject({ code: 'TN003' });
    expect(await attack.tell(nestedWith(reused))).toMatch(/^TN003 /);
  });

  it('shows rows of both in one statement to who has both, scan by scan: none of them shows rows of two tenants', async () => {
    expect(await attack.get(swapWith(capabilityFor('victim')))).toEqual([{ first: 'mine-1', second: secret(1) }]);
    // Each scan proves its tenant once and keeps to it, whatever is put in place of the capability while it goes on.
    const during = `select name, set_config('tenancy.capability', '${capabilityFor('victim')}', true) <> '' as x from projects`;
    expect((await attack.get(during)).map(({ name }) => name)).toEqual(['mine-1', 'mine-2', 'mine-3']);
  });

  it('is that of the rest of the statement after a run within it, and of nothing after the statement', async () => {
    const counts = `select (select count(*) from projects) as before,
      (select count(*) from (${nestedWith(capabilityFor('victim'))}) r) as within, (select count(*) from projects p) as after`;
    expect(await attack.get(counts)).toEqual([{ before: own, within: victims, after: victims }]);
    expect(await attack.get(count)).toEqual([{ n: own }]);
  });

  it('writes rows of its tenant in a statement that began as another, and no row as both at once', async () => {
    const swap = `(select set_config('tenancy.capability', '${capabilityFor('victim')}', true) as x offset 0) s`;
    const planted = await attack.get(
      `insert into projects (tenant_id, name) select 'victim', 'planted' from ${swap} where s.x <> '' returning tenant_id`,
    );
    expect(planted).toEqual([{ tenant_id: 'victim' }]);
    const forOneself = `insert into projects (tenant_id, name) select 'mallory', 'x' from ${swap} where s.x <> '' returning id`;
    expect(await attack.tell(forOneself)).toMatch(/^42501 /);
    const found = `update projects set description = 'taken' from ${swap} where s.x <> '' returning id`;
    expect(await attack.tell(found)).toMatch(/^42501 /);
    await runAs(attack.api.postgres.app, 'victim', `delete from projects where name = 'planted' returning id`);
  });
});
