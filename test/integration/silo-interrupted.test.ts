import { afterAll, beforeAll, expect, it } from 'vitest';
import { dropSilo, makeSilo } from '../../functions/migrate/silo.ts';
import type { System } from '../../functions/migrate/system.ts';
import { databaseRoles, mainCluster, tenantHomeName } from '../../shared/contract/index.ts';
import { type SiloRunner, siloSecretsAt, startSiloRunner } from '../helpers/silo-runner.ts';
import { pointSdkAt } from '../helpers/tenant-database.ts';
import { type Fault, type FaultProxy, startFaultProxy } from '../isolation/soak/fault-proxy.ts';

let runner: SiloRunner;
let proxies: readonly FaultProxy[];
let system: System;
/** What becomes of a call: its request or its answer is lost, or it is the first that a process does not live to make. */
type Interruption = 'reset before' | 'reset after' | 'death before';

/** Calls to the Data API and to Secrets Manager so far, and the one that breaks. Each statement is one. */
let calls = 0;
let broken: { readonly call: number; readonly interruption: Interruption } | undefined;

beforeAll(async () => {
  runner = await startSiloRunner();
  const choose = (): Fault | undefined => {
    calls += 1;
    if (!broken || calls < broken.call) return undefined;
    // Nothing that it would still do gets anywhere.
    if (broken.interruption === 'death before') return 'reset before';
    return calls === broken.call ? broken.interruption : undefined;
  };
  const [data, secrets] = await Promise.all([
    startFaultProxy(runner.api.server.url, choose),
    startFaultProxy(runner.secretsUrl, choose),
  ]);
  proxies = [data, secrets];
  pointSdkAt(data.url);
  system = { ...runner.system, siloSecrets: siloSecretsAt(secrets.url) };
});
afterAll(async () => {
  pointSdkAt(runner.api.server.url);
  await runner[Symbol.asyncDispose]();
  for (const proxy of proxies) await proxy.stop();
});

const silo = (tenantId: string) => ({ tenantId, cluster: mainCluster });

/** Everything that is there of a tenant's database, but its random password, without its name. */
async function stateOf(tenantId: string): Promise<unknown> {
  const name = tenantHomeName(tenantId);
  const { superuser } = runner.api.postgres;
  const one = async (sql: string) => (await superuser.query(sql, [name])).rows;
  const state = {
    database: await one('select datacl::text, datdba::regrole::text from pg_database where datname = $1'),
    role: await one('select rolcanlogin, rolcreatedb, rolcreaterole, rolconfig from pg_roles where rolname = $1'),
    secrets: runner.secrets.list().filter(({ tags }) => tags['tenantry:tenant'] === tenantId).length,
    inside: await one('select from pg_database where datname = $1').then(({ length }) =>
      length ? insideOf(name) : [],
    ),
  };
  return JSON.parse(JSON.stringify(state).replaceAll(name, '<home>')) as unknown;
}

async function insideOf(name: string): Promise<unknown[]> {
  const owner = await runner.connect(databaseRoles.owner, name).catch(() => undefined);
  const sql = `select
    (select json_agg(concat_ws(' ', target, version, state) order by target, version) from tenancy.migrations) as ledger,
    (select json_agg(version order by version) from tenancy.migration_files) as published,
    (select json_agg(key_id) from tenancy.signing_keys) as keys, (select name from tenancy.cluster) as cluster,
    (select json_agg(f) from tenancy.audit() f) as findings`;
  return (await owner?.query(sql))?.rows ?? ['closed'];
}

type Work = typeof makeSilo | typeof dropSilo;

/** Runs the work with one call broken. @returns whether it noticed */
async function interrupt(work: Work, tenantId: string, call: number, interruption: Interruption) {
  broken = { call: calls + call, interruption };
  const isNoticed = await work(silo(tenantId), system).then(
    () => false,
    () => true,
  );
  broken = undefined;
  return isNoticed;
}

/** The same, and then the work as a whole. */
async function interruptAndRepeat(work: Work, tenantId: string, call: number, interruption: Interruption) {
  const isNoticed = await interrupt(work, tenantId, call, interruption);
  await work(silo(tenantId), system);
  return isNoticed;
}

it.each(['reset before', 'reset after', 'death before'] as const)(
  'a database is made, and dropped, as if nothing had happened when it was interrupted at any call (%s), and all is done again',
  async (interruption) => {
    const whole = runner.newTenant();
    const before = calls;
    await makeSilo(silo(whole), system);
    const made = { calls: calls - before, state: await stateOf(whole) };
    await dropSilo(silo(whole), system);
    const dropped = { calls: calls - before - made.calls, state: await stateOf(whole) };
    expect(dropped.state).toEqual({ database: [], role: [], secrets: 0, inside: [] });

    let noticed = 0;
    for (let call = 1; call <= made.calls; call += 1) {
      const tenantId = runner.newTenant();
      if (await interruptAndRepeat(makeSilo, tenantId, call, interruption)) noticed += 1;
      expect({ call, state: await stateOf(tenantId) }).toEqual({ call, state: made.state });
      await interruptAndRepeat(dropSilo, tenantId, (call % dropped.calls) + 1, interruption);
      expect({ call, state: await stateOf(tenantId) }).toEqual({ call, state: dropped.state });
    }
    // Whether the database was made is looked up at once.
    expect(noticed).toBeGreaterThanOrEqual(made.calls - 1);
  },
  120_000,
);

it('nothing is left of a database that is dropped after whoever made it has died at any call', async () => {
  const whole = runner.newTenant();
  const before = calls;
  await makeSilo(silo(whole), system);
  const made = calls - before;
  await dropSilo(silo(whole), system);
  const nothing = await stateOf(whole);
  for (let call = 1; call <= made; call += 1) {
    const tenantId = runner.newTenant();
    await interrupt(makeSilo, tenantId, call, 'death before');
    await dropSilo(silo(tenantId), system);
    expect({ call, state: await stateOf(tenantId) }).toEqual({ call, state: nothing });
  }
}, 120_000);
