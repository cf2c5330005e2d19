import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest';
import { signToken } from '../../local/issuer/sign-token.ts';
import { operatorRole } from '../../shared/contract/index.ts';
import { fleetRunSchema, type RecordedFleetRun } from '../../shared/fleet/index.ts';
import { type Answer, expectProblem, send } from '../helpers/api-client.ts';
import { tenantCommandWith } from '../helpers/command.ts';
import { withMissing } from '../helpers/fleet/missing-migration.ts';
import { operatorOf, type Operator } from '../helpers/operator.ts';
import { readStackFile, type StackFile } from '../helpers/stack.ts';
import { atTerminal, noTerminal } from '../helpers/terminal.ts';

const { dataDir } = inject('stack');
let stack: StackFile;
let superuser: Client;
let olga: Operator;
beforeAll(async () => {
  stack = await readStackFile(dataDir);
  superuser = new Client({ connectionString: stack.postgresUrl });
  await superuser.connect();
  olga = await operatorOf('olga');
});
afterAll(() => superuser.end());

const runOf = ({ json }: Answer): RecordedFleetRun => fleetRunSchema.parse(json);

/** Waits until a run has ended, as a client does that was told where it is. */
async function untilEnded({ headers }: Answer): Promise<RecordedFleetRun> {
  const path = new URL(String(headers['location']), stack.controlPlaneUrl).pathname;
  const giveUp = Date.now() + 60_000;
  for (;;) {
    const run = runOf(await olga.ask('GET', path));
    if (run.endedAt !== null) return run;
    if (Date.now() > giveUp) throw new Error(`The run has not ended: ${JSON.stringify(run)}`);
    await sleep(100);
  }
}

const tables = (schema: string) => superuser.query('select from pg_tables where schemaname = $1', [schema]);

describe('a run of migrations by the API', () => {
  test('brings what is behind to the newest version, and is in the audit log', async () => {
    await withMissing(superuser, 'tenant_behind', async () => {
      const headers = { 'idempotency-key': 'migrate-once' };
      const begun = await olga.ask('POST', '/migrations', { headers });
      expect(begun.status, begun.text).toBe(202);
      expect(runOf(begun)).toMatchObject({ state: 'running', actor: 'olga' });
      const ended = await untilEnded(begun);
      expect(ended).toMatchObject({ state: 'done', done: 1, failed: 0, causes: [], error: null });
      const again = await olga.ask('POST', '/migrations', { headers });
      expect(runOf(again)).toEqual(ended);
      expect(runOf(await olga.ask('GET', '/migrations'))).toEqual(ended);
      expect((await tables('tenant_behind')).rowCount).toBe((await tables('pool')).rowCount);
      const { json } = await olga.ask('GET', '/audit-log?limit=1');
      expect(json).toMatchObject({
        items: [{ action: 'migration.requested', actor: 'olga', tenantId: null, detail: { runId: ended.id } }],
      });
    });
  });

  test('fails with what has failed, and touches that alone when it is mended', async () => {
    await withMissing(superuser, 'tenant_sick', async () => {
      await superuser.query('create type tenant_sick.idempotency_keys as (id int)');
      const failed = await untilEnded(await olga.ask('POST', '/migrations'));
      expect(failed).toMatchObject({
        state: 'stopped',
        error: expect.stringContaining('A canary failed'),
        failed: 1,
        causes: [{ version: '003_idempotency_keys', sqlstate: '42P07', count: 1, placements: ['tenant_sick'] }],
      });
      await superuser.query('drop type tenant_sick.idempotency_keys');
      const mended = await untilEnded(await olga.ask('POST', '/migrations'));
      expect(mended).toMatchObject({ state: 'done', done: 1, failed: 0 });
    });
  });

  test('is one at a time, and one that was killed is in nobody’s way', async () => {
    const standStill = (since: string) =>
      superuser.query<{ id: string }>(
        `insert into registry.fleet_runs (id, state, slice, place, done, failed, missing, put_off, causes, updated_at)
         values (gen_random_uuid(), 'running', 1, 'shared', 0, 0, 0, 0, '[]', now() - $1::interval) returning id`,
        [since],
      );
    const { rows } = await standStill('1 minute');
    const refused = await olga.ask('POST', '/migrations');
    expectProblem(refused, 409, 'migration-in-progress');
    expect(refused.text).toContain(rows[0]?.id);
    await standStill('1 day');
    expect(await untilEnded(await olga.ask('POST', '/migrations'))).toMatchObject({ state: 'done' });
    await superuser.query(`delete from registry.fleet_runs where state = 'running'`);
  });

  test('is for operators alone', async () => {
    const before = await superuser.query('select from registry.fleet_runs');
    for (const roles of [[], [operatorRole]]) {
      const token = await signToken(dataDir, { tenant: 'acme', roles });
      for (const method of ['GET', 'POST'])
        expectProblem(await send(method, '/migrations', { to: stack.controlPlaneUrl, token }), 403, 'operator-only');
    }
    expect((await send('POST', '/migrations', { to: stack.controlPlaneUrl })).status).toBe(401);
    expect((await superuser.query('select from registry.fleet_runs')).rowCount).toBe(before.rowCount);
  });
});

describe('tenant migrate --api', () => {
  const env = () => ({
    AWS_SHARED_CREDENTIALS_FILE: stack.awsCredentialsFile,
    AWS_PROFILE: 'default',
    AWS_EC2_METADATA_DISABLED: 'true',
  });
  const api = (): string[] => ['--api', stack.controlPlaneIamUrl, '--region', stack.resources.region];
  const migrate = (...args: string[]) => tenantCommandWith(env(), 'migrate', ...args, ...api());

  test('starts a run and waits for its end', async () => {
    await withMissing(superuser, 'tenant_behind', async () => {
      const { code, stdout, stderr } = await migrate();
      expect({ code, stderr, run: JSON.parse(stdout) as unknown }).toMatchObject({
        code: 0,
        stderr: '',
        run: { state: 'done', done: 1, failed: 0, actor: expect.stringContaining('user/local-operator') },
      });
      expect(JSON.parse((await migrate('--status')).stdout)).toEqual(JSON.parse(stdout));
    });
  });

  test('exits with 1 when something has failed, and so does the status', async () => {
    await withMissing(superuser, 'tenant_sick', async () => {
      await superuser.query('create type tenant_sick.idempotency_keys as (id int)');
      const begun = await migrate('--no-wait', '--idempotency-key', 'sick');
      expect({ code: begun.code, run: JSON.parse(begun.stdout) as unknown }).toMatchObject({
        code: 0,
        run: { state: 'running' },
      });
      const ended = await migrate('--idempotency-key', 'sick');
      expect({ code: ended.code, run: JSON.parse(ended.stdout) as unknown }).toMatchObject({
        code: 1,
        run: { state: 'stopped', failed: 1, causes: [{ placements: ['tenant_sick'] }] },
      });
      expect((await migrate('--status')).code).toBe(1);
    });
  });

  test.skipIf(noTerminal)('shows a bar on a terminal, and what became of it', async () => {
    await withMissing(superuser, 'tenant_behind', async () => {
      const command = [process.execPath, 'local/run.cjs', '../cli/tenant', 'migrate', ...api()].join(' ');
      const { code, screen } = await atTerminal(command, { env: { ...env(), NO_COLOR: '1' } });
      expect(code, screen).toBe(0);
      expect(screen).toMatch(/█{30} \d+ of \d+/);
      expect(screen).toMatch(/Last run of the migration runner\s+done, begun .* by arn:aws:iam/);
      expect(screen).toContain('1 placements done, 0 failed');
    });
  });

  test.each([
    [['--plan'], /^--plan compares databases with the files of this folder/],
    [['--tenant', 'acme'], /^--tenant is for a local stack/],
    [['--status', '--no-wait'], /^--status starts no run/],
  ])('refuses %j, and says what to do instead', async (args, message) => {
    const { code, stderr } = await migrate(...args);
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringMatching(message) });
  });

  test('is the only one for which --no-wait means something', async () => {
    expect(await tenantCommandWith({}, 'migrate', '--no-wait', '--data', dataDir)).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('go with --api'),
    });
  });
});
