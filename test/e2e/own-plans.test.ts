import { cp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { type Answer, expectProblem, send } from '../helpers/api-client.ts';
import { operatorOf } from '../helpers/operator.ts';
import { makePassableFolder } from '../helpers/passable-folder.ts';
import { type DevRun, runDev, stopDev } from '../helpers/stack.ts';

/** Requests a month of the plan free. */
const quota = 6;

let copy: string;
let dataDir: string;
let dev: DevRun;
let to: string;

/** A stack of which somebody has changed the plans, as anybody would: one has a small quota, tenants of the other share an API key. */
beforeAll(async () => {
  copy = await makePassableFolder('tenantry-plans-');
  dataDir = join(copy, '.local');
  for (const name of ['cdk.json', 'functions', 'lib', 'local', 'migrations', 'package.json', 'shared', 'tsconfig.json'])
    await cp(name, join(copy, name), { recursive: true });
  await symlink(resolve('node_modules'), join(copy, 'node_modules'));
  const file = join(copy, 'shared/contract/plans.ts');
  const plans = await readFile(file, 'utf8');
  const changed = plans
    .replace('requestsPerMonth: 10_000,', `requestsPerMonth: ${quota},`)
    .replace('requestsPerMinute: 600, burst: 50,', 'requestsPerMinute: 60, burst: 10, sharesApiKey: true,');
  expect(changed.match(/sharesApiKey: true|requestsPerMonth: 6,/g)).toHaveLength(2);
  await writeFile(file, changed);
  dev = runDev(dataDir, { cwd: copy });
  to = await dev.ready;
});
afterAll(async () => {
  await stopDev(dev);
  await rm(copy, { recursive: true, force: true });
});

/** A tenant, as the control plane has onboarded it. @returns what sends a request of it */
async function senderOf(tenantId: string, plan: string): Promise<() => Promise<Answer>> {
  const operator = await operatorOf('olga', dataDir);
  const made = await operator.operate('/tenants', { tenantId, name: tenantId, plan, model: 'pool' });
  expect(made.error).toBeNull();
  const token = await signToken(dataDir, { tenant: tenantId });
  return () => send('GET', '/projects', { to, token });
}

/** Two tenants of a plan. */
const twoOf = async (plan: string): Promise<[() => Promise<Answer>, () => Promise<Answer>]> => [
  await senderOf(`${plan}-greedy`, plan),
  await senderOf(`${plan}-modest`, plan),
];

test('the quota that one of two tenants of a plan has used up costs the other no request', async () => {
  const [greedy, modest] = await twoOf('free');
  const answers = [];
  for (let request = 0; request < quota + 2; request += 1) answers.push(await greedy());
  expect(answers.map(({ status }) => status)).toEqual([...Array.from({ length: quota }, () => 200), 429, 429]);
  for (const answer of answers.slice(quota)) expectProblem(answer, 429, 'quota-exceeded');
  for (let request = 0; request < quota; request += 1) expect((await modest()).status).toBe(200);
  expectProblem(await modest(), 429, 'quota-exceeded');
});

test('of two tenants that share an API key the limiter throttles one, and costs the other no request', async () => {
  const [greedy, modest] = await twoOf('pro');
  const flooding = Promise.all(Array.from({ length: 25 }, greedy));
  const statuses = [];
  for (let request = 0; request < 8; request += 1) statuses.push((await modest()).status);
  const refused = (await flooding).filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(5);
  // Not API Gateway's own answer, which would go by the key.
  for (const answer of refused) {
    expectProblem(answer, 429, 'rate-limited');
    expect(answer.headers['x-amzn-errortype']).toBeUndefined();
    expect(answer.headers['x-ratelimit-limit']).toBe('10');
  }
  expect(new Set(statuses)).toEqual(new Set([200]));
});

test('no request of a tenant is refused while it changes between an API key of its own and one that it shares', async () => {
  const request = await senderOf('changing', 'enterprise');
  const operator = await operatorOf('olga', dataDir);
  const changed = { isOver: false };
  const answers: Answer[] = [];
  const requests = async (): Promise<void> => {
    while (!changed.isOver) answers.push(await request());
  };
  const asking = [requests(), requests()];
  for (const plan of ['pro', 'enterprise', 'pro', 'enterprise']) {
    const { error } = await operator.operate('/tenants/changing/change-plan', { plan });
    expect(error).toBeNull();
  }
  changed.isOver = true;
  await Promise.all(asking);
  expect(answers.length).toBeGreaterThan(20);
  // The limiter has its say, by one plan or the other.
  expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 429)).toEqual([]);
});
