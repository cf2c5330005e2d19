import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { operationSteps } from '../../functions/operations/steps.ts';
import type { KnownKind } from '../../shared/control/operations-schema.ts';
import { disturb, type Disturbance } from '../helpers/operations/interruptions.ts';
import { type OperationWorld, startOperationWorld } from '../helpers/operations/operation-world.ts';
import { tenantTraces, type Traces } from '../helpers/operations/tenant-traces.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const kinds = Object.keys(operationSteps) as KnownKind[];
const stepNames = (kind: KnownKind): string[] => operationSteps[kind].map(({ name }) => name);

interface Run {
  readonly calls: readonly string[];
  readonly traces: Traces;
}

/** An operation that is stopped as `disturbance` says, and then run again by a process that knows nothing of the first. */
async function runDisturbed(kind: KnownKind, disturbance: Disturbance): Promise<Run> {
  const subject = await world.prepare(kind);
  const operationId = await world.ask(kind, subject.tenantId);
  const { ports, calls, stopped } = disturb(subject.ports, disturbance);
  const ended = world.run(operationId, ports);
  const isStopped = await Promise.race([stopped.then(() => true), ended.then(() => false)]);
  if (isStopped !== (disturbance.stopBefore !== undefined))
    throw new Error(`${operationId} did not stop as it should.`);
  if (isStopped) {
    await world.run(operationId, disturb(subject.ports, { failingStep: disturbance.failingStep }).ports);
  }
  return { calls, traces: await tenantTraces(world, subject, operationId) };
}

/** An operation that two processes run at once. */
async function runTwice(kind: KnownKind): Promise<Traces> {
  const subject = await world.prepare(kind);
  const operationId = await world.ask(kind, subject.tenantId);
  await Promise.all([world.run(operationId, subject.ports), world.run(operationId, subject.ports)]);
  return await tenantTraces(world, subject, operationId);
}

/** Runs at once: a runner spends most of its time waiting. */
const runsAtOnce = 5;

/**
 * Stops an operation before each call that an undisturbed run makes, from the first one of that name on, and after the last; then
 * compares what is there in the end.
 */
async function stopEverywhere(kind: KnownKind, from: string, failingStep?: string): Promise<Run> {
  const undisturbed = await runDisturbed(kind, { failingStep });
  const { calls } = undisturbed;
  const points = Array.from({ length: calls.length + 1 }, (_, point) => point).slice(calls.indexOf(from));
  const stopAt = async (): Promise<void> => {
    for (let stopBefore = points.pop(); stopBefore !== undefined; stopBefore = points.pop()) {
      const { traces } = await runDisturbed(kind, { failingStep, stopBefore });
      expect(traces, `stopped before call ${stopBefore}: ${calls[stopBefore] ?? 'the end'}`).toEqual(
        undisturbed.traces,
      );
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, stopAt));
  return undisturbed;
}

describe.each(kinds)('an operation of the kind %s', (kind) => {
  it('ends in the same wherever it is stopped and run again', { timeout: 300_000 }, async () => {
    const { calls, traces } = await stopEverywhere(kind, 'registry.read');
    for (const name of stepNames(kind)) {
      expect(calls).toEqual(
        expect.arrayContaining([`registry.mark ${name} running`, `registry.mark ${name} succeeded`]),
      );
    }
    expect(traces).toMatchObject({ operations: [{ state: 'succeeded' }], events: [{}, {}], auditLog: [{}, {}] });
  });

  it('ends in the same when two run it at once', async () => {
    const { traces } = await runDisturbed(kind, {});
    for (let time = 0; time < 5; time += 1) await expect(runTwice(kind)).resolves.toEqual(traces);
  });

  it.each(stepNames(kind))(
    'leaves nothing when the step %s fails, wherever it is stopped and run again',
    { timeout: 300_000 },
    async (failingStep) => {
      const before = await tenantTraces(world, await world.prepare(kind));
      const { traces } = await stopEverywhere(kind, `registry.mark ${failingStep} running`, failingStep);
      expect(traces).toMatchObject({
        operations: [{ state: 'failed', error: { code: 'conflict', message: expect.stringContaining(failingStep) } }],
        events: [{}, { type: expect.stringMatching(/Failure$/) }],
        auditLog: [{}, { action: `${kind}.failed` }],
      });
      const stays = ({ tenants, placements, keys }: Traces) => ({ tenants, placements, keys });
      expect(stays(traces)).toEqual(stays(before));
    },
  );
});
