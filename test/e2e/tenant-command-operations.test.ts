import { beforeAll, describe, expect, inject, test } from 'vitest';
import { type CommandRun, tenantCommand, tenantCommandWith } from '../helpers/command.ts';
import { field, send } from '../helpers/api-client.ts';
import { readStackFile, type StackFile } from '../helpers/stack.ts';

const { dataDir } = inject('stack');
let stack: StackFile;
beforeAll(async () => {
  stack = await readStackFile(dataDir);
});

const locally = (...args: readonly string[]): Promise<CommandRun> => tenantCommand(...args, '--data', dataDir);

/** As somebody who has AWS credentials and no data folder. */
const byAws = (profile: string, ...args: readonly string[]): Promise<CommandRun> => {
  const env = {
    AWS_SHARED_CREDENTIALS_FILE: stack.awsCredentialsFile,
    AWS_PROFILE: profile,
    AWS_EC2_METADATA_DISABLED: 'true',
  };
  return tenantCommandWith(env, ...args, '--api', stack.controlPlaneIamUrl, '--region', stack.resources.region);
};
const answerOf = ({ code, stdout, stderr }: CommandRun): unknown => {
  expect(code, stderr).toBe(0);
  return JSON.parse(stdout);
};

describe.each([
  ['a local stack', 'command-local', locally],
  ['a control plane with AWS credentials', 'command-aws', (...args: readonly string[]) => byAws('role', ...args)],
])('the life of a tenant by the command, of %s', (_, tenantId, run) => {
  test('it comes, changes, and is told of', { timeout: 60_000 }, async () => {
    const made = answerOf(await run('create', tenantId, '--name', 'Made by hand', '--plan', 'free'));
    expect(made).toMatchObject({ kind: 'onboard', state: 'succeeded', percent: 100 });
    expect(answerOf(await run('plan', tenantId, 'pro'))).toMatchObject({ kind: 'change-plan', state: 'succeeded' });
    expect(answerOf(await run('suspend', tenantId))).toMatchObject({ kind: 'suspend', state: 'succeeded' });
    expect(answerOf(await run('show', tenantId))).toMatchObject({
      plan: 'pro',
      state: 'suspended',
      name: 'Made by hand',
    });
    expect(answerOf(await run('activate', tenantId))).toMatchObject({ state: 'succeeded' });
    const operations = answerOf(await run('operations', '--tenant', tenantId)) as { kind: string; id: string }[];
    expect(operations.map(({ kind }) => kind)).toEqual(['activate', 'suspend', 'change-plan', 'onboard']);
    expect(answerOf(await run('operations', String(operations[3]?.id), '--wait'))).toEqual(made);
    const log = answerOf(await run('audit-log', tenantId, '--limit', '1')) as { action: string; actor: string }[];
    expect(log).toMatchObject([{ action: 'activate.succeeded' }]);
    expect(log[0]?.actor).toMatch(/local-operator/);
  });

  test('it is not made twice, but the same request is the same operation', { timeout: 60_000 }, async () => {
    const again = await run('create', tenantId, '--name', 'Again', '--plan', 'free');
    expect(again).toMatchObject({
      code: 1,
      stderr: expect.stringMatching(/^The tenant id is taken \[tenant-exists\]\n/),
    });
    const once = ['suspend', tenantId, '--idempotency-key', `suspend-${tenantId}`] as const;
    expect(field(answerOf(await run(...once)), 'id')).toBe(field(answerOf(await run(...once)), 'id'));
    answerOf(await run('activate', tenantId));
  });

  test('statements are run as it, and somebody acts for it', async () => {
    expect(answerOf(await run('run', '--', tenantId, 'select count(*)::int as n from projects'))).toEqual([{ n: 0 }]);
    expect(await run('run', tenantId, 'delete from projects')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('['),
    });
    const { token } = answerOf(await run('impersonate', tenantId, '--reason', 'Ticket 7')) as { token: string };
    expect((await send('GET', '/projects', { token })).json).toEqual({ items: [], nextCursor: null });
  });
});

test('a statement is run as every active tenant', async () => {
  const all = answerOf(await locally('run', '--', '--all', 'select 1 as one')) as { tenantId: string; rows: unknown }[];
  expect(all).toContainEqual({ tenantId: 'acme', rows: [{ one: 1 }] });
  expect(all.map(({ tenantId }) => tenantId)).not.toContain('umbrella');
});

test('head-room is a list of quotas', async () => {
  expect(answerOf(await locally('quotas'))).toContainEqual(
    expect.objectContaining({ name: 'api-keys', limit: 10_000 }),
  );
});

test('whoever has no permission, or no credentials, is told so', async () => {
  expect(await byAws('stranger', 'list')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('execute-api:Invoke'),
  });
  expect(await byAws('nobody', 'list')).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^There are no AWS credentials/),
  });
});
