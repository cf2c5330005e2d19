import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, inject, test } from 'vitest';
import { demoTenants } from '../../local/demo.ts';
import { signToken } from '../../local/issuer/sign-token.ts';
import { created, field, send, tokenOf } from '../helpers/api-client.ts';
import { openDemoHomes } from '../helpers/demo-homes.ts';
import { operatorOf } from '../helpers/operator.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { readStackFile, runDev, stopDev } from '../helpers/stack.ts';

const { dataDir } = inject('stack');

/** Ports of the clusters, by name. */
const portsOf = async (): Promise<Record<string, number>> =>
  Object.fromEntries(
    Object.entries((await readStackFile(dataDir)).postgresUrls).map(([name, url]) => [name, Number(new URL(url).port)]),
  );

test('two clusters are two Postgres, and what is said of the one is said of main', async () => {
  const { postgresUrl, postgresUrls, resources } = await readStackFile(dataDir);
  const ports = await portsOf();
  expect(Object.keys(ports)).toEqual(['main', 'silos']);
  expect(new Set(Object.values(ports)).size).toBe(2);
  expect(postgresUrl).toBe(postgresUrls['main']);
  for (const arns of [resources.clusters, resources.masterSecrets])
    expect(Object.keys(arns)).toEqual(['main', 'silos']);
});

test.each(demoTenants)('$id lives where its plan says, $placement.model on $placement.cluster', async (tenant) => {
  const operator = await operatorOf('demo');
  const { json } = await operator.ask('GET', `/tenants/${tenant.id}`);
  expect(field(json, 'placement')).toEqual(tenant.placement);
});

test.each(demoTenants.filter(({ id }) => ['acme', 'globex', 'hooli'].includes(id)))(
  'what $id writes is in $placement.database/$placement.schema on $placement.cluster, and nowhere else',
  async ({ id, placement }) => {
    const projectId = await created('/projects', await tokenOf(id), { name: crypto.randomUUID() });
    await using homes = await openDemoHomes(dataDir);
    const found = await homes.query(
      `select current_database()::text as database, current_schema()::text as schema, inet_server_port() as port, tenant_id
       from projects where id = $1`,
      [projectId],
    );
    const { [placement.cluster]: port } = await portsOf();
    expect(found).toEqual([{ database: placement.database, schema: placement.schema, port, tenant_id: id }]);
  },
);

test('logins that are lost, those of tenants’ own databases among them, are made anew by the next start', async () => {
  const folder = await makePassableFolder('tenantry-logins-');
  try {
    const first = runDev(folder);
    await first.ready;
    await stopDev(first);
    await rm(join(folder, 'secrets.json'));
    const second = runDev(folder);
    const to = await second.ready;
    for (const tenant of ['acme', 'globex', 'hooli'])
      expect((await send('GET', '/projects', { to, token: await signToken(folder, { tenant }) })).status).toBe(200);
    await stopDev(second);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
