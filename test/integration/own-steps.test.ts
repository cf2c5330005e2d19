import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LocalDurableTestRunner } from '@aws/durable-execution-sdk-js-testing';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { disturb } from '../helpers/operations/interruptions.ts';
import { type OperationWorld, startOperationWorld } from '../helpers/operations/operation-world.ts';
import { tenantTraces, type Traces } from '../helpers/operations/tenant-traces.ts';
import { applyDiff, blocksOf } from '../helpers/markdown.ts';

type Operations = typeof import('../../functions/operations/durable-function.ts');

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
let folder: string;
let operations: Operations;
beforeAll(async () => {
  world = await startOperationWorld();
  folder = withOwnSteps();
  operations = (await import(join(folder, 'functions/operations/durable-function.ts'))) as Operations;
});
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await world[Symbol.asyncDispose]();
});

/** The operations with the steps that docs/events.md adds. */
function withOwnSteps(): string {
  const copy = mkdtempSync(join(tmpdir(), 'tenantry-own-steps-'));
  cpSync('functions/operations', join(copy, 'functions/operations'), { recursive: true });
  for (const name of ['shared', 'node_modules', 'package.json']) symlinkSync(resolve(name), join(copy, name));
  for (const { file = '', language, text } of blocksOf(readFileSync('docs/events.md', 'utf8'))) {
    if (!file.startsWith('functions/')) continue;
    const path = join(copy, file);
    writeFileSync(path, language === 'diff' ? applyDiff(readFileSync(path, 'utf8'), text) : text);
  }
  return copy;
}

interface Run {
  readonly calls: readonly string[];
  readonly traces: Traces;
}

/** A tenant that comes and, if it is to, goes again; one of both is stopped before a call, and run again. */
async function live(
  kinds: readonly ('onboard' | 'offboard')[],
  stopBefore?: number,
  failingStep?: string,
): Promise<Run> {
  const subject = await world.prepare('onboard');
  let calls: readonly string[] = [];
  for (const kind of kinds) {
    const operationId = await world.ask(kind, subject.tenantId);
    const isDisturbed = kind === kinds.at(-1);
    const disturbed = disturb(subject.ports, isDisturbed ? { stopBefore, failingStep } : {});
    const run = (ports = subject.ports): Promise<unknown> =>
      new LocalDurableTestRunner({
        handlerFunction: operations.operationsFunction(ports, { attempts: 1 }),
      }).run({
        payload: { operationId },
      });
    const isStopped = await Promise.race([disturbed.stopped.then(() => true), run(disturbed.ports).then(() => false)]);
    if (isStopped) await run(disturb(subject.ports, { failingStep }).ports);
    ({ calls } = disturbed);
  }
  return { calls, traces: await tenantTraces(world, subject) };
}

/** What is left in the end is not to depend on where it was stopped. */
async function stopEverywhere(kinds: readonly ('onboard' | 'offboard')[], step: string, fails = false): Promise<Run> {
  const failingStep = fails ? step : undefined;
  const undisturbed = await live(kinds, undefined, failingStep);
  const { calls, traces } = undisturbed;
  const first = calls.indexOf(`registry.mark ${step} running`);
  const last = calls.findLastIndex((call) => call.startsWith(`registry.mark ${step} `));
  expect(first, `${step} among the calls`).toBeGreaterThan(0);
  for (let stopBefore = first; stopBefore <= last + 1; stopBefore += 1) {
    const stopped = await live(kinds, stopBefore, failingStep);
    expect(stays(stopped.traces), `stopped before ${calls[stopBefore]}`).toEqual(stays(traces));
  }
  return undisturbed;
}

const stays = ({ tenants, secrets, placements, keys }: Traces): object => ({ tenants, secrets, placements, keys });

describe('the steps of one’s own that docs/events.md shows', () => {
  it('make a secret with each tenant, once, wherever they are stopped', async () => {
    const { traces } = await stopEverywhere(['onboard'], 'make-webhook-secret');
    expect(traces).toMatchObject({ tenants: [{}], secrets: ['tenantry/dev/tenants/TENANT/webhook'] });
  });

  it('leave none when an onboarding fails', async () => {
    const { traces } = await stopEverywhere(['onboard'], 'make-webhook-secret', true);
    expect(traces).toMatchObject({ tenants: null, secrets: [] });
  });

  it('take it back when the tenant goes, which is proven', async () => {
    const { traces } = await stopEverywhere(['onboard', 'offboard'], 'remove-webhook-secret');
    expect(traces).toMatchObject({ tenants: null, secrets: [] });
  });
});
