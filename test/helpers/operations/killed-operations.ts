import { randomInt } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Ports } from '../../../functions/operations/ports.ts';
import { operationEvents } from '../../../shared/control/operations-events.ts';
import { isSoak } from '../soak.ts';
import { disturb, type Disturbance } from './interruptions.ts';
import { type OperationWorld, smallestPieces, startOperationWorld } from './operation-world.ts';
import { kindOf, type Scenario, stepsOfScenario } from './scenarios.ts';
import { tenantTraces, type Traces } from './tenant-traces.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

const stepNames = (scenario: Scenario): string[] => stepsOfScenario(scenario).map(({ name }) => name);
/** Steps up to the one from which on nothing is undone. */
const undoneSteps = (scenario: Scenario): string[] => {
  const steps = stepsOfScenario(scenario);
  const final = steps.findIndex(({ isFinal }) => isFinal);
  return stepNames(scenario).slice(0, final < 0 ? undefined : final);
};
const finalSteps = (scenario: Scenario): string[] => stepNames(scenario).slice(undoneSteps(scenario).length);

/** Making a database takes as long as twenty other calls: of the steps of a silo those that are like all others' fail in the long form only. */
const failing = (scenario: Scenario, steps: readonly string[]): readonly string[] =>
  scenario.endsWith('a silo') && !isSoak ? steps.filter((step) => /database|home/.test(step)) : steps;

/** These have as many pieces as there are files. */
const piecesOf = (scenario: Scenario) =>
  kindOf(scenario) === 'export' || scenario === 'restore' ? smallestPieces : undefined;

interface Run {
  readonly calls: readonly string[];
  readonly traces: Traces;
}

/** An operation that is stopped as `disturbance` says, and then run again by a process that knows nothing of the first. */
async function runDisturbed(scenario: Scenario, disturbance: Disturbance): Promise<Run> {
  const subject = await world.prepare(scenario);
  const operationId = await world.ask(scenario, subject.tenantId);
  const { ports, calls, stopped } = disturb(subject.ports, disturbance);
  const run = (by: Ports) => world.run(operationId, by, 1, piecesOf(scenario));
  const ended = run(ports);
  const isStopped = await Promise.race([stopped.then(() => true), ended.then(() => false)]);
  if (isStopped !== (disturbance.stopBefore !== undefined))
    throw new Error(`${operationId} did not stop as it should.`);
  if (isStopped) {
    await run(disturb(subject.ports, { failingStep: disturbance.failingStep }).ports);
  }
  return { calls, traces: await tenantTraces(world, subject, operationId) };
}

/** An operation that two processes run at once. */
async function runTwice(scenario: Scenario): Promise<Traces> {
  const subject = await world.prepare(scenario);
  const operationId = await world.ask(scenario, subject.tenantId);
  await Promise.all([world.run(operationId, subject.ports), world.run(operationId, subject.ports)]);
  return await tenantTraces(world, subject, operationId);
}

/** Where an operation that is undone, or that fails for good, is stopped: everywhere in the long form, in CI at every third call, other ones each time. */
const some = (points: readonly number[]): number[] => {
  const first = isSoak ? 0 : randomInt(3);
  return points.filter((_, index) => isSoak || index % 3 === first);
};

/** Runs at once: a runner spends most of its time waiting. */
const runsAtOnce = 5;

/**
 * Stops an operation before each call that an undisturbed run makes, from the first one of that name on, and after the last; then
 * compares what is there in the end. With a step that fails, before some of them.
 */
async function stopEverywhere(scenario: Scenario, from: string, failingStep?: string): Promise<Run> {
  const undisturbed = await runDisturbed(scenario, { failingStep });
  const { calls } = undisturbed;
  const isLastTheEnd = calls.at(-1) === 'registry.end';
  const all = Array.from({ length: calls.length + (isLastTheEnd ? 1 : 0) }, (_, point) => point).slice(
    calls.indexOf(from),
  );
  const points = failingStep === undefined ? all : some(all);
  const stopAt = async (): Promise<void> => {
    for (let stopBefore = points.pop(); stopBefore !== undefined; stopBefore = points.pop()) {
      const { traces } = await runDisturbed(scenario, { failingStep, stopBefore });
      expect(traces, `stopped before call ${stopBefore}: ${calls[stopBefore] ?? 'the end'}`).toEqual(
        undisturbed.traces,
      );
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, stopAt));
  return undisturbed;
}

/** What a tenant is, beyond what was done to it. */
const stays = ({ tenants, placements, keys, rows, cacheKeys, secrets, home, homeTarget, database, role }: Traces) => ({
  home,
  homeTarget,
  database,
  role,
  tenants,
  placements,
  keys,
  rows,
  cacheKeys,
  secrets,
});
/** Some operations are nobody else's business. */
const eventsOf = (scenario: Scenario, ...events: object[]): object[] | null =>
  operationEvents[kindOf(scenario)] === undefined ? null : events;

/** Tests that such operations end in the same wherever they are stopped. Each file that calls this has a world of its own, since operations of one world wait for each other. */
export function testKilledOperations(scenarios: readonly Scenario[]): void {
  describe.each(scenarios)('an operation of the kind %s', (scenario) => {
    it('ends in the same wherever it is stopped and run again', { timeout: 300_000 }, async () => {
      const { calls, traces } = await stopEverywhere(scenario, 'registry.read');
      for (const name of stepNames(scenario)) {
        expect(calls).toEqual(
          expect.arrayContaining([`registry.mark ${name} running`, `registry.mark ${name} succeeded`]),
        );
      }
      expect(traces).toMatchObject({ operations: [{ state: 'succeeded' }], events: eventsOf(scenario, {}, {}) });
    });

    it('ends in the same when two run it at once', async () => {
      const { traces } = await runDisturbed(scenario, {});
      for (let time = 0; time < 5; time += 1) await expect(runTwice(scenario)).resolves.toEqual(traces);
    });

    it.each(failing(scenario, undoneSteps(scenario)))(
      'leaves nothing when the step %s fails, wherever it is stopped and run again',
      { timeout: 300_000 },
      async (failingStep) => {
        const before = await tenantTraces(world, await world.prepare(scenario));
        const { traces } = await stopEverywhere(scenario, `registry.mark ${failingStep} running`, failingStep);
        expect(traces).toMatchObject({
          operations: [{ state: 'failed', error: { code: 'conflict', message: expect.stringContaining(failingStep) } }],
          events: eventsOf(scenario, {}, { type: expect.stringMatching(/Failure$/) }),
          auditLog: [{}, { action: `${kindOf(scenario)}.failed` }],
        });
        expect(stays(traces)).toEqual(stays(before));
      },
    );
  });

  describe.each(scenarios.filter((scenario) => finalSteps(scenario).length > 0))('a %s past undoing', (scenario) => {
    it.each(failing(scenario, finalSteps(scenario)))(
      'is gone on with by another one when the step %s fails, wherever either is stopped and run again',
      { timeout: 300_000 },
      async (failingStep) => {
        const { traces: intended } = await runDisturbed(scenario, {});
        const { traces } = await stopEverywhere(scenario, `registry.mark ${failingStep} running`, failingStep);
        expect(traces).toMatchObject({
          tenants: [{ state: 'offboarding' }],
          operations: [{ state: 'failed', error: { remedy: expect.stringContaining('ask for the same again') } }],
          events: [{}, { type: expect.stringMatching(/Failure$/) }],
        });
        const subject = await world.prepare(scenario);
        const failing = disturb(subject.ports, { failingStep });
        await world.run(await world.ask(scenario, subject.tenantId), failing.ports);
        await world.run(await world.ask(scenario, subject.tenantId), subject.ports);
        expect(stays(await tenantTraces(world, subject))).toEqual(stays(intended));
      },
    );
  });
}
