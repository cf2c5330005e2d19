import { afterAll, beforeAll, expect, inject } from 'vitest';
import { type Answer, created, expectProblem, send, type Sent, tokenOf } from '../../helpers/api-client.ts';
import { type DemoHomes, openDemoHomes } from '../../helpers/demo-homes.ts';

/** What somebody sends who has a good token of acme and wants what is globex's. */
export interface Attack {
  readonly method?: string;
  readonly path?: string;
  readonly request?: Sent;
  /** Code of the problem that is the answer; a status where the request is served, for acme and nobody else. */
  readonly answer: readonly [status: number, code: string] | 200 | 201;
}

/** Rows of globex that no request may show or change, and a mark by which rows are known that one has written. */
export interface Target {
  readonly token: string;
  readonly foreignToken: string;
  readonly projectId: string;
  readonly taskId: string;
  /** In every name that an attack sends. */
  readonly mark: string;
  /** Carries the attack out: it must be answered as expected, and neither show nor change a row of globex. */
  readonly attack: (attack: Attack) => Promise<Answer>;
  /** Asserts that an answer shows no row of globex, that they are as they were, and that nothing else was written for another. */
  readonly expectUntouched: (shown: string) => Promise<void>;
}

/** Plants the canaries before the tests of a file. */
export function plantTarget(): () => Target {
  let target: Target | undefined;
  let homes: DemoHomes;
  beforeAll(async () => {
    homes = await openDemoHomes(inject('stack').dataDir);
    target = await makeTarget(homes);
  });
  afterAll(() => homes[Symbol.asyncDispose]());
  return () => target ?? expect.fail('The tests have not begun.');
}

async function makeTarget(homes: DemoHomes): Promise<Target> {
  const [token, foreignToken] = await Promise.all([tokenOf('acme'), tokenOf('globex')]);
  const canary = `canary-${crypto.randomUUID()}`;
  const mark = `attack-${crypto.randomUUID()}`;
  const projectId = await created('/projects', foreignToken, { name: canary, description: canary });
  const taskId = await created(`/projects/${projectId}/tasks`, foreignToken, { title: canary });
  // Wherever they are: an attack may have written to another tenant's home, too.
  const rows = (): Promise<{ row: object }[]> =>
    homes.query(
      `select to_jsonb(p) as row from projects p where id = $1
       union all select to_jsonb(t) from tasks t where project_id = $1
       union all select to_jsonb(s) from projects s where name like $2 and tenant_id <> 'acme'`,
      [projectId, `%${mark}%`],
    );
  const before = await rows();
  expect(before).toHaveLength(2);
  const expectUntouched = async (shown: string): Promise<void> => {
    expect(shown).not.toContain(canary);
    expect(await rows()).toEqual(before);
  };
  const attack = async ({ method = 'GET', path = '/projects', request, answer }: Attack): Promise<Answer> => {
    const got = await send(method, path, { token, ...request });
    if (typeof answer === 'number') expect(got.status, got.text).toBe(answer);
    else expectProblem(got, ...answer);
    await expectUntouched(got.text);
    return got;
  };
  return { token, foreignToken, projectId, taskId, mark, attack, expectUntouched };
}
