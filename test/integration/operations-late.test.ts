import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { disturb } from '../helpers/operations/interruptions.ts';
import { type OperationWorld, startOperationWorld, type TestSubject } from '../helpers/operations/operation-world.ts';
import { type Scenario, stepsOfScenario } from '../helpers/operations/scenarios.ts';
import { tenantTraces, type Traces } from '../helpers/operations/tenant-traces.ts';
import { isSoak } from '../helpers/soak.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

/** An operation, and one after it that would be undone by what the first does late. */
interface Sequel {
  readonly scenario: Scenario;
  readonly next: Scenario;
  /** More input of the second one. */
  readonly more?: object;
}
/** Each has something of its own that could come late. */
const usual: readonly Sequel[] = [
  { scenario: 'suspend', next: 'activate' },
  { scenario: 'change-plan', next: 'change-plan', more: { plan: 'enterprise' } },
  { scenario: 'change-limits', next: 'change-limits', more: { burst: 7 } },
  { scenario: 'rename', next: 'rename', more: { name: 'Again' } },
  { scenario: 'onboard', next: 'suspend' },
  { scenario: 'offboard', next: 'onboard', more: { reuseId: true } },
];
const more: readonly Sequel[] = [
  { scenario: 'activate', next: 'suspend' },
  { scenario: 'restore', next: 'suspend' },
  { scenario: 'offboard', next: 'restore', more: { reuseId: true } },
  { scenario: 'onboard a bridge', next: 'suspend' },
  { scenario: 'offboard a bridge', next: 'onboard a bridge', more: { reuseId: true } },
  { scenario: 'onboard a silo', next: 'suspend' },
  { scenario: 'offboard a silo', next: 'onboard a silo', more: { reuseId: true } },
];
const sequels = isSoak ? [...usual, ...more] : usual;

/** Calls that change something, or look whether the next one may: nothing can be held up between the two that could be refused. */
const changes =
  /^(registry\.(set\w+|register|forget|unregister|requireTurn)|homes|databases|rows\.(insert|erase|advanceSequences))/;

const run = async (scenario: Scenario, { tenantId }: TestSubject, ports: TestSubject['ports'], more = {}) =>
  world.run(await world.ask(scenario, tenantId, more), ports);

/** The calls that an operation makes from its first step on. */
async function callsOf(scenario: Scenario, failingStep?: string): Promise<{ call: string; place: number }[]> {
  const subject = await world.prepare(scenario);
  const { ports, calls } = disturb(subject.ports, { failingStep });
  await run(scenario, subject, ports);
  const numbered = calls.map((call, place) => ({ call, place }));
  return numbered.slice(numbered.findIndex(({ call }) => call.startsWith('registry.mark')));
}

/** What is there before and after an execution goes on that was held up at a call until another had ended the operation. */
async function holdUp(
  { scenario, next, more }: Sequel,
  stopBefore: number,
  failingStep?: string,
): Promise<{ before: Traces; after: Traces }> {
  const subject = await world.prepare(scenario);
  const operationId = await world.ask(scenario, subject.tenantId);
  const slow = disturb(subject.ports, { stopBefore, failingStep });
  const ended = world.run(operationId, slow.ports);
  await Promise.race([slow.stopped, ended]);
  await world.run(operationId, disturb(subject.ports, { failingStep }).ports);
  if (failingStep === undefined) await run(next, subject, subject.ports, more);
  const before = await tenantTraces(world, subject, operationId);
  slow.goOn();
  await ended;
  return { before, after: await tenantTraces(world, subject, operationId) };
}

/** Runs at once: a runner spends most of its time waiting. */
const runsAtOnce = 5;

async function holdUpEverywhere(sequel: Sequel, failingStep?: string): Promise<void> {
  const points = (await callsOf(sequel.scenario, failingStep)).filter(({ call }) => changes.test(call));
  const holdUpNext = async (): Promise<void> => {
    for (let point = points.shift(); point; point = points.shift()) {
      const { before, after } = await holdUp(sequel, point.place, failingStep);
      expect(after, `held up before call ${point.place}: ${point.call}`).toEqual(before);
    }
  };
  await Promise.all(Array.from({ length: runsAtOnce }, holdUpNext));
}

describe.each(sequels)('an execution of $scenario that another one has overtaken, then $next', (sequel) => {
  it('changes nothing when it goes on after both, wherever it was held up', { timeout: 300_000 }, () =>
    holdUpEverywhere(sequel),
  );

  it('changes nothing when the operation has failed, wherever it was held up', { timeout: 300_000 }, () => {
    const undoable = stepsOfScenario(sequel.scenario).findLast((_, place, steps) =>
      steps.slice(0, place + 1).every(({ isFinal }) => !isFinal),
    );
    return holdUpEverywhere(sequel, undoable?.name);
  });
});
