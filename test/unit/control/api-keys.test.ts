import type { APIGatewayClient } from '@aws-sdk/client-api-gateway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awsRates } from '../../../local/api-gateway-management/rates.ts';
import { type ApiKeys, apiKeysOf } from '../../../shared/control/api-keys.ts';
import { countRefusals, startTestManagement, type TestManagement } from '../../helpers/api-gateway-management.ts';

const planIds = { free: 'free', pro: 'pro', enterprise: 'enterprise' };
let management: TestManagement;

beforeEach(async () => {
  management = await startTestManagement();
});
afterEach(() => management[Symbol.asyncDispose]());

/** Waits for nothing: the management API of these tests has no rates. */
const impatient = { settleMs: 0, rates: { create: 1_000, delete: 1_000, all: 1_000 } };
/** As a process of its own has it. */
const keysOf = (client = management.client(), options = {}): ApiKeys =>
  apiKeysOf(client, planIds, { ...impatient, ...options });

const endState = () =>
  management.keys.list().map(({ name, usagePlanId, enabled }) => `${name} in ${usagePlanId}, enabled: ${enabled}`);

describe('ensure', () => {
  test('makes a key in the plan, and answers the same one ever after', async () => {
    const key = await keysOf().ensure('acme', 'pro');
    expect(endState()).toEqual(['acme in pro, enabled: true']);
    expect(management.keys.byId(key.id)?.value).toBe(key.value);
    expect(key.value).toMatch(/^[0-9a-f]{40}$/);
    expect(await keysOf().ensure('acme', 'pro')).toEqual(key);
    expect(management.keys.list()).toHaveLength(1);
  });

  test('leaves alone whoever has a longer name', async () => {
    const other = await keysOf().ensure('acme-two', 'free');
    const key = await keysOf().ensure('acme', 'free');
    expect(key.id).not.toBe(other.id);
    await keysOf().remove('acme');
    expect(endState()).toEqual(['acme-two in free, enabled: true']);
  });

  test('refuses a key of another plan', async () => {
    await keysOf().ensure('acme', 'free');
    await expect(keysOf().ensure('acme', 'pro')).rejects.toThrow(
      /is in tenantry-test-free, not in usage plan pro: move/,
    );
    expect(endState()).toEqual(['acme in free, enabled: true']);
  });

  test('keeps the keys of stages apart by their prefixes', async () => {
    const ofStage = (namePrefix: string) => keysOf(management.client(), { namePrefix });
    const [a, b] = [await ofStage('dev-').ensure('acme', 'pro'), await ofStage('prod-').ensure('acme', 'pro')];
    expect(a.id).not.toBe(b.id);
    await ofStage('dev-').remove('acme');
    expect(endState()).toEqual(['prod-acme in pro, enabled: true']);
  });

  test('by several processes at once ends with one key that all of them answer', async () => {
    const keys = await Promise.all(
      Array.from({ length: 8 }, () => apiKeysOf(management.client(), planIds).ensure('acme', 'pro')),
    );
    expect(new Set(keys.map(({ id }) => id)).size).toBe(1);
    expect(endState()).toEqual(['acme in pro, enabled: true']);
  });

  // Several tenants: of two keys of one second, the id decides which one stays.
  test.for(['finds no key', 'finds a new key'])(
    'stands when it %s while another process is late with its own',
    async (found) => {
      const tenants = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h'];
      const answers = tenants.map(async (tenant) => {
        const { promise: done, resolve: isDone } = Promise.withResolvers<unknown>();
        const { client, sawNothing } = lateClient(done);
        const late = keysOf(client, { settleMs: 1_000 }).ensure(tenant, 'pro');
        await sawNothing;
        if (found === 'finds a new key') management.keys.add(tenant);
        const answer = keysOf(management.client(), { settleMs: 1_000 }).ensure(tenant, 'pro');
        isDone(await answer);
        return [await answer, await late];
      });
      for (const [answer, late] of await Promise.all(answers)) expect(late).toEqual(answer);
      expect(management.keys.list()).toHaveLength(tenants.length);
    },
  );
});

/** A client that makes its second call when the promise resolves. */
function lateClient(go: Promise<unknown>): { client: APIGatewayClient; sawNothing: Promise<unknown> } {
  const client = management.client();
  const { promise: sawNothing, resolve } = Promise.withResolvers<unknown>();
  let calls = 0;
  client.middlewareStack.add(
    (next) => async (call) => {
      calls += 1;
      if (calls === 2) {
        resolve(calls);
        await go;
      }
      return next(call);
    },
    { step: 'initialize' },
  );
  return { client, sawNothing };
}

describe('move', () => {
  test('changes the plan and keeps the key', async () => {
    const key = await keysOf().ensure('acme', 'free');
    await keysOf().move('acme', 'free', 'pro');
    await keysOf().move('acme', 'free', 'pro');
    expect(endState()).toEqual(['acme in pro, enabled: true']);
    expect(await keysOf().ensure('acme', 'pro')).toEqual(key);
  });

  test('says so when there is no key, or one in a third plan', async () => {
    await expect(keysOf().move('acme', 'free', 'pro')).rejects.toThrow(
      'Tenant acme has no API key to move to plan pro',
    );
    await keysOf().ensure('acme', 'enterprise');
    await expect(keysOf().move('acme', 'free', 'pro')).rejects.toThrow(/is in tenantry-test-enterprise, not in/);
  });
});

describe('removeSpare', () => {
  test('leaves the key by which the tenant goes', async () => {
    for (let made = 0; made < 3; made += 1) management.keys.add('acme');
    const spare = await keysOf().findSpare('acme', 'pro');
    expect(spare).toHaveLength(2);
    await keysOf().removeSpare('acme', 'pro');
    const [left] = await keysOf().find('acme');
    expect(spare).not.toContain(left);
    expect((await keysOf().ensure('acme', 'pro')).id).toBe(left);
    expect(await keysOf().findSpare('acme', 'pro')).toEqual([]);
  });
});

describe('remove', () => {
  test('leaves nothing, and may be made again', async () => {
    await keysOf().ensure('acme', 'free');
    management.keys.add('acme', 'pro');
    await keysOf().remove('acme');
    await keysOf().remove('acme');
    expect(endState()).toEqual([]);
  });
});

describe('find', () => {
  test('knows none that is deleted, although lists still have it', async () => {
    const client = management.client();
    let listed: unknown;
    client.middlewareStack.add(
      (next, { commandName }) =>
        async (call) => {
          if (commandName !== 'GetApiKeysCommand') return next(call);
          // What it answered first.
          listed ??= await next(call);
          return listed as Awaited<ReturnType<typeof next>>;
        },
      { step: 'initialize' },
    );
    const { id } = await keysOf().ensure('acme', 'free');
    expect(await keysOf(client).find('acme')).toEqual([id]);
    await keysOf().remove('acme');
    expect(await keysOf(client).find('acme')).toEqual([]);
  });
});

class Crash extends Error {}

/** A client whose process ends before its nth call, or when the call has had its effect and before it is told. */
function crashingClient(nth: number, when: 'before' | 'after'): APIGatewayClient {
  const client = management.client();
  let calls = 0;
  const crash = (at: 'before' | 'after'): void => {
    if (calls === nth && when === at) throw new Crash();
  };
  client.middlewareStack.add(
    (next) => async (call) => {
      calls += 1;
      crash('before');
      const answer = await next(call);
      crash('after');
      return answer;
    },
    { step: 'initialize' },
  );
  return client;
}

describe('a process that ends', () => {
  const cases: Readonly<
    Record<string, { prepare?: () => Promise<unknown>; run: (keys: ApiKeys) => Promise<unknown> }>
  > = {
    ensure: { run: (keys) => keys.ensure('acme', 'pro') },
    'ensure with duplicates': {
      prepare: async () => ['acme', 'acme', 'acme'].map((name) => management.keys.add(name)),
      run: (keys) => keys.ensure('acme', 'pro'),
    },
    move: {
      prepare: () => keysOf().ensure('acme', 'free'),
      run: (keys) => keys.move('acme', 'free', 'pro'),
    },
    remove: {
      prepare: async () => ['acme', 'acme', 'globex'].map((name) => management.keys.add(name, 'free')),
      run: (keys) => keys.remove('acme'),
    },
  };
  const undisturbed = async ({ prepare, run }: (typeof cases)[string]): Promise<string[]> => {
    await prepare?.();
    await run(keysOf());
    return endState();
  };
  const fresh = async (): Promise<void> => {
    await management[Symbol.asyncDispose]();
    management = await startTestManagement();
  };

  test.for(
    Object.entries(cases).flatMap(([name, of]) => (['before', 'after'] as const).map((when) => ({ name, of, when }))),
  )('$when any call of $name leaves what the next one makes good', async ({ of, when }) => {
    const expected = await undisturbed(of);
    let crashes = 0;
    for (let nth = 1; ; nth += 1) {
      await fresh();
      await of.prepare?.();
      const ended = await of.run(keysOf(crashingClient(nth, when))).catch((error: unknown) => error);
      if (!(ended instanceof Crash)) break;
      crashes += 1;
      await of.run(keysOf());
      expect(endState(), `after the crash ${when} call ${nth}`).toEqual(expected);
    }
    expect(crashes).toBeGreaterThanOrEqual(3);
  });
});

test('twenty tenants at once are onboarded without a refusal by API Gateway', async () => {
  await using limited = await startTestManagement(awsRates);
  const client = limited.client(1);
  const count = countRefusals(client);
  const keys = apiKeysOf(client, planIds);
  const made = await Promise.all(Array.from({ length: 20 }, (_, n) => keys.ensure(`tenant-${n}`, 'free')));
  expect(count.refusals).toBe(0);
  expect(new Set(made.map(({ value }) => value)).size).toBe(20);
  expect(limited.keys.list().every(({ usagePlanId }) => usagePlanId === 'free')).toBe(true);
});

describe('a plan whose tenants share a key', () => {
  const sharing = (): ApiKeys => keysOf(management.client(), { sharingPlans: ['free'] });

  test('has one, made once, whoever comes and goes', async () => {
    const [acme, globex] = [await sharing().ensure('acme', 'free'), await sharing().ensure('globex', 'free')];
    expect(globex).toEqual(acme);
    await sharing().remove('acme');
    expect(endState()).toEqual(['plan:free in free, enabled: true']);
    expect(await sharing().ensure('initech', 'free')).toEqual(acme);
  });

  test('by several processes at once ends with one key that all of them answer', async () => {
    const answers = await Promise.all(
      ['a1', 'b1', 'c1', 'd1'].map((tenant) =>
        apiKeysOf(management.client(), planIds, { sharingPlans: ['free'] }).ensure(tenant, 'free'),
      ),
    );
    expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
    expect(endState()).toEqual(['plan:free in free, enabled: true']);
  });

  test('is left with a key of the tenant’s own, and entered without one, however often', async () => {
    const shared = await sharing().ensure('acme', 'free');
    const own = await sharing().move('acme', 'free', 'pro');
    expect(await sharing().move('acme', 'free', 'pro')).toEqual(own);
    expect(own.id).not.toBe(shared.id);
    expect(endState().toSorted()).toEqual(['acme in pro, enabled: true', 'plan:free in free, enabled: true']);
    expect(await sharing().findSpare('acme', 'pro')).toEqual([]);
    expect(await sharing().move('acme', 'pro', 'free')).toEqual(shared);
    expect(await sharing().move('acme', 'pro', 'free')).toEqual(shared);
    expect(endState().toSorted()).toEqual(['acme in pro, enabled: true', 'plan:free in free, enabled: true']);
    expect(await sharing().findSpare('acme', 'free')).toEqual([own.id]);
    await sharing().removeSpare('acme', 'free');
    await sharing().removeSpare('acme', 'free');
    expect(await sharing().findSpare('acme', 'free')).toEqual([]);
    expect(endState()).toEqual(['plan:free in free, enabled: true']);
  });

  test('takes tenants along that had a key of their own there before', async () => {
    const own = await keysOf().ensure('acme', 'free');
    expect(await sharing().move('acme', 'free', 'pro')).toEqual(own);
    expect(endState()).toEqual(['acme in pro, enabled: true']);
  });
});
