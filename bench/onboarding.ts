import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import { signToken } from '../local/issuer/sign-token.ts';
import { operatorRole } from '../shared/contract/index.ts';
import { type Operation, operationSchema } from '../shared/control/index.ts';
import { atMost, type Bench, median } from './bench.ts';
import { withStack } from './stack.ts';

const tenants = 1_000;
const concurrency = 8;
const alone = 10;

/**
 * Onboarding tenants of the pool over the API of a local stack, which takes no more calls a second than API Gateway does: some one by
 * one, each against its steps, and then many, several at a time.
 */
export const bench: Bench = async (progress) => {
  const data = await mkdtemp(join(tmpdir(), 'tenantry-onboarding-'));
  try {
    return await withStack(data, () => measure(data, progress));
  } finally {
    await rm(data, { recursive: true, force: true });
  }
};

async function measure(data: string, progress: (message: string) => void): ReturnType<Bench> {
  const onboard = await onboarderOf(data);
  progress(`onboarding ${alone}, one by one`);
  const one: Operation[] = [];
  for (let number = 0; number < alone; number += 1) one.push(await onboard(`alone-${number}`));
  progress(`onboarding ${tenants}, ${concurrency} at a time; API Gateway takes about two a second`);
  const started = performance.now();
  const many: Operation[] = [];
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < tenants) {
      many.push(await onboard(`tenant-${(next += 1)}`));
      if (many.length % 100 === 0) progress(`${many.length} of ${tenants}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, worker));
  const seconds = (performance.now() - started) / 1000;
  const failed = many.filter(({ state }) => state !== 'succeeded');
  const [elapsed, steps] = [median(one.map(elapsedMs)), median(one.map(stepsMs))];
  return {
    rows: [
      { case: 'one tenant, from the request to its end', value: elapsed, unit: 'ms' },
      { case: 'its steps, added up', value: steps, unit: 'ms' },
      {
        case: 'the step that makes an API key',
        value: median(one.map((o) => stepMs(o, 'make-api-key'))),
        unit: 'ms',
      },
      { case: `${tenants} tenants, ${concurrency} at a time`, value: seconds, unit: 's' },
      { case: 'tenants a second', value: tenants / seconds, unit: '/s' },
    ],
    ratios: [
      atMost(`failed of ${tenants}`, failed.length, 0),
      atMost('one tenant / its steps, added up', elapsed / steps, 1.5),
    ],
  };
}

const msBetween = (from: string | null, to: string | null): number => Date.parse(to ?? '') - Date.parse(from ?? '');
const elapsedMs = ({ createdAt, endedAt }: Operation): number => msBetween(createdAt, endedAt);
const stepMs = ({ steps }: Operation, name: string): number =>
  steps.filter((step) => step.name === name).reduce((sum, step) => sum + msBetween(step.startedAt, step.endedAt), 0);
const stepsMs = (operation: Operation): number =>
  operation.steps.reduce((sum, { name }) => sum + stepMs(operation, name), 0);

/** Onboards a tenant and waits for the end of that. */
async function onboarderOf(data: string): Promise<(tenantId: string) => Promise<Operation>> {
  const stack = z.object({ controlPlaneUrl: z.string() });
  const { controlPlaneUrl } = stack.parse(JSON.parse(await readFile(join(data, 'stack.json'), 'utf8')));
  const token = await signToken(data, { user: 'bench', roles: [operatorRole] });
  const headers = { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' };
  const ask = async (path: string, body?: object): Promise<Operation> => {
    const request = body ? { method: 'POST', body: JSON.stringify(body) } : {};
    const answer = await fetch(new URL(path, controlPlaneUrl), { headers, ...request });
    if (answer.status === 429) return sleep(1_000).then(() => ask(path, body));
    return operationSchema.parse(await answer.json());
  };
  return async (tenantId) => {
    let operation = await ask('/tenants', { tenantId, name: tenantId, plan: 'free' });
    while (operation.endedAt === null) {
      await sleep(200);
      operation = await ask(`/operations/${operation.id}`);
    }
    return operation;
  };
}
