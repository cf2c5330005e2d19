import { once } from 'node:events';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { field, send } from '../helpers/api-client.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { type DevRun, readStackFile, runDev, stopDev } from '../helpers/stack.ts';

let folder: string;
let dev: DevRun | undefined;
beforeAll(async () => {
  folder = await makePassableFolder('tenantry-killed-');
});
afterAll(async () => {
  if (dev) await stopDev(dev);
  await rm(folder, { recursive: true, force: true });
});

/** Starts the stack, and returns how to ask its control plane. */
async function start(): Promise<(method: string, path: string, body?: object) => Promise<unknown>> {
  dev = runDev(folder);
  await dev.ready;
  const to = (await readStackFile(folder)).controlPlaneUrl;
  const token = await signToken(folder, { user: 'olga', roles: [operatorRole] });
  return async (method, path, body) => (await send(method, path, { to, token, body })).json;
}
const statesOf = (page: unknown): string[] => (field(page, 'items') as { state: string }[]).map(({ state }) => state);

test('a stack that is killed in the middle of operations ends them when it is started again, and no event is lost', async () => {
  const tenantIds = Array.from({ length: 8 }, (_, n) => `killed-${n}`);
  const before = await start();
  for (const tenantId of tenantIds) await before('POST', '/tenants', { tenantId, name: tenantId, plan: 'free' });
  await expect.poll(async () => statesOf(await before('GET', '/operations')), { timeout: 20_000 }).toContain('running');
  dev?.child.kill('SIGKILL');
  if (dev) await once(dev.child, 'close');

  const after = await start();
  const operations = async (): Promise<string[]> => statesOf(await after('GET', '/operations?limit=100'));
  await expect.poll(operations, { timeout: 60_000, interval: 500 }).toEqual(tenantIds.map(() => 'succeeded'));
  const events = async (): Promise<unknown> => {
    const lines = (await readFile(join(folder, 'events.jsonl'), 'utf8')).trim().split('\n');
    const all = lines.map((line) => field(JSON.parse(line), 'event'));
    return tenantIds.map((tenantId) => [
      ...new Set(
        all
          .filter((event) => field(field(event, 'detail'), 'tenantId') === tenantId)
          .map((event) => field(event, 'detail-type')),
      ),
    ]);
  };
  // A publisher that was killed has claims of 90 s, and whoever publishes for it comes each minute.
  await expect
    .poll(events, { timeout: 180_000, interval: 500 })
    .toEqual(tenantIds.map(() => ['onboardingRequest', 'onboardingSuccess']));
}, 300_000);
