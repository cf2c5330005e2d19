import { UsageError } from '../../../cli/command-error.ts';
import { commands } from '../../../cli/commands/index.ts';
import { parseLine } from '../../../cli/parse-line.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  type AnsweringServer,
  type Answerer,
  hangUp,
  json,
  startAnsweringServer,
} from '../../helpers/answering-server.ts';
import { type CommandRun, tenantCommand } from '../../helpers/command.ts';
import { atTerminal, noTerminal, typing } from '../../helpers/terminal.ts';

let server: AnsweringServer;
beforeEach(async () => {
  server = await startAnsweringServer();
});
afterEach(() => server[Symbol.asyncDispose]());

const id = '0198c9f0-0000-7000-8000-000000000001';
const step = (name: string, state: string) => ({ name, state, startedAt: null, endedAt: null });
const operation = (state: string, done: number, changes: object = {}) => ({
  ...{ id, tenantId: 'acme', kind: 'onboard', state, actor: 'olga', input: {}, before: null, counts: {}, error: null },
  ...{ createdAt: '2026-01-01T00:00:00+00:00', updatedAt: '2026-01-01T00:00:00+00:00', endedAt: null },
  steps: ['register', 'open'].map((name, at) => step(name, at < done ? 'succeeded' : 'pending')),
  percent: done * 50,
  ...changes,
});
const begun = json(202, operation('pending', 0));
const running = json(200, operation('running', 1));
const ended = json(200, operation('succeeded', 2, { endedAt: '2026-01-01T00:00:05+00:00' }));
const error = { code: 'internal', message: 'It broke\u001b[2J.', remedy: 'Mend it.' };
const failed = json(200, operation('failed', 1, { error, endedAt: '2026-01-01T00:00:05+00:00' }));

const tenant = (...args: readonly string[]): Promise<CommandRun> => tenantCommand(...args, '--data', server.folder);
const line = (...args: readonly string[]): string =>
  [process.execPath, 'local/run.cjs', '../cli/tenant', ...args, '--data', server.folder]
    .map((arg) => `'${arg}'`)
    .join(' ');
const tenantAnswer = {
  ...{ tenantId: 'acme', name: 'acme', plan: 'pro', limits: null, state: 'active', createdAt: '', updatedAt: '' },
  placement: { model: 'pool', cluster: 'main', database: 'tenantry', schema: 'pool' },
};
const place = json(200, tenantAnswer.placement);
const create = ['create', 'acme', '--name', 'Acme', '--plan', 'pro'] as const;
const requests = () => server.asked.map(({ method, url, body }) => [method, url, body].filter(Boolean).join(' '));

describe('a command that starts an operation', () => {
  test('waits until it has ended, tells its steps, and prints it', async () => {
    server.answers = [begun, running, running, ended];
    const { code, stdout, stderr } = await tenant(...create);
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: 'onboard acme: register succeeded (1 of 2)\nonboard acme: open succeeded (2 of 2)\n',
    });
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'succeeded', input: {} });
    expect(requests().slice(0, 2)).toEqual([
      'POST /tenants {"tenantId":"acme","name":"Acme","plan":"pro"}',
      `GET /operations/${id}`,
    ]);
    expect(server.asked[0]?.headers['idempotency-key']).toMatch(/^[\da-f-]{36}$/);
  });

  test('exits with 1 when it has failed, and says why and what to do', async () => {
    server.answers = [begun, failed];
    const { code, stdout, stderr } = await tenant(...create, '--from', id);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ state: 'failed' });
    expect(stderr).toMatch(/It broke\?\[2J\. \[internal\] Mend it\.\n$/);
    expect(requests()[0]).toContain(`"from":"${id}"`);
  });

  test('does not wait when told not to', async () => {
    server.answers = [begun];
    const { code, stdout, stderr } = await tenant(...create, '--no-wait', '--idempotency-key', 'k-1');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({ id, state: 'pending' });
    expect(server.asked.map(({ headers }) => headers['idempotency-key'])).toEqual(['k-1']);
  });

  test('says by which key to ask again when nobody knows whether it was begun', async () => {
    const { code, stderr } = await tenant(...create);
    expect(code).toBe(1);
    const keys = new Set(server.asked.map(({ headers }) => headers['idempotency-key']));
    expect(keys.size).toBe(1);
    expect(stderr).toContain(`--idempotency-key ${String([...keys][0])}`);
  });

  test('says how to go on watching when answers stop', async () => {
    server.answers = [begun, running];
    server.otherwise = hangUp;
    const { code, stderr } = await tenant(...create);
    expect(code).toBe(1);
    expect(stderr).toContain(`operations ${id} --wait --data ${server.folder}`);
  });

  test.each<[readonly string[], string]>([
    [['plan', 'acme', 'free'], 'POST /tenants/acme/change-plan {"plan":"free"}'],
    [
      [...create, '--model', 'silo', '--cluster', 'main'],
      'POST /tenants {"tenantId":"acme","name":"Acme","plan":"pro","model":"silo","cluster":"main"}',
    ],
    [
      ['limits', 'acme', '--requests-per-minute', '30', '--burst', '5', '--concurrent-requests', '2'],
      'POST /tenants/acme/change-limits {"requestsPerMinute":30,"burst":5,"concurrentRequests":2}',
    ],
    [['limits', 'acme', '--burst', '5'], 'POST /tenants/acme/change-limits {"burst":5}'],
    [['limits', 'acme', '--reset'], 'POST /tenants/acme/change-limits {}'],
    [['rename', 'acme', 'Acme Ltd'], 'POST /tenants/acme/rename {"name":"Acme Ltd"}'],
    [['suspend', 'acme'], 'POST /tenants/acme/suspend {}'],
    [['activate', 'acme'], 'POST /tenants/acme/activate {}'],
    [['export', 'acme'], 'POST /tenants/acme/export {}'],
    [['delete', 'acme', '--yes'], 'POST /tenants/acme/offboard {"export":true}'],
    [['delete', 'acme', '--yes', '--no-export'], 'POST /tenants/acme/offboard {"export":false}'],
  ])('%j asks for it', async (args, request) => {
    server.answers = [begun, ended];
    expect((await tenant(...args)).code).toBe(0);
    expect(requests()[0]).toBe(request);
  });

  test('clones a tenant by way of an export, and says how to go on when only that was made', async () => {
    const acme = { ...tenantAnswer, name: 'Acme', plan: 'pro' };
    server.answers = [json(200, acme), place, begun, ended, begun, ended];
    expect((await tenant('clone', 'acme', 'acme-test', '--plan', 'free', '--model', 'bridge')).code).toBe(0);
    expect(requests().filter((request) => request.startsWith('POST'))).toEqual([
      'POST /tenants/acme/export {}',
      `POST /tenants {"tenantId":"acme-test","name":"Acme","plan":"free","model":"bridge","from":"${id}"}`,
    ]);
    server.answers = [json(200, acme), place, begun, ended];
    server.otherwise = json(409, { title: 'Taken', code: 'tenant-exists', detail: 'No.', instance: 'r' });
    const { code, stderr } = await tenant('clone', 'acme', 'globex');
    expect(code).toBe(1);
    expect(stderr).toContain(`create a tenant with --from ${id}`);
    server.answers = [json(200, acme), place, begun, failed];
    expect((await tenant('clone', 'acme', 'acme-test')).code).toBe(1);
    expect(requests().filter((request) => request.startsWith('POST /tenants {'))).toHaveLength(2);
  });

  test('clones a tenant into the model that it lives in, unless told otherwise', async () => {
    const placement = { model: 'silo', cluster: 'silos', database: 't_acme', schema: 't_acme' };
    server.answers = [json(200, { ...tenantAnswer, placement }), place, begun, ended, begun, ended];
    expect((await tenant('clone', 'acme', 'acme-test')).code).toBe(0);
    expect(requests()[1]).toBe('GET /placement?tenantId=acme-test&plan=pro&model=silo');
    expect(requests()).toContain(
      `POST /tenants {"tenantId":"acme-test","name":"acme","plan":"pro","model":"silo","from":"${id}"}`,
    );
  });

  test('exports nothing where there can be no clone', async () => {
    const refused = (code: string) => json(409, { title: 'No', code, detail: 'Because.', instance: 'r' });
    server.answers = [json(200, tenantAnswer), refused('tenant-exists')];
    const { code, stderr } = await tenant('clone', 'acme', 'globex', '--cluster', 'silos');
    expect({ code, stderr }).toEqual({ code: 1, stderr: 'No [tenant-exists]\nBecause.\n' });
    expect(requests()[1]).toBe('GET /placement?tenantId=globex&plan=pro&model=pool&cluster=silos');
    server.answers = [json(200, tenantAnswer), refused('no-capacity')];
    expect((await tenant('clone', 'acme', 'globex')).stderr).toMatch(/Because\.\nOr choose another --model/);
    expect(requests().filter((request) => request.startsWith('POST'))).toEqual([]);
  });

  test.each<[readonly string[], RegExp]>([
    [['create', 'acme'], /^Give it a --name and a --plan\./],
    [['create', 'Acme', '--name', 'A', '--plan', 'pro'], /^"Acme" is no tenant id/],
    [['create', 'acme', '--name', 'A', '--plan', 'gold'], /^--plan is one of free, pro, enterprise/],
    [['plan', 'acme', 'gold'], /^<plan> is one of free, pro, enterprise/],
    [['limits', 'acme'], /^Give it limits, or --reset/],
    [['limits', 'acme', '--reset', '--burst', '5'], /^Give it limits, or --reset/],
    [['limits', 'acme', '--burst', '0'], /^--burst takes a whole number from 1 to 999999999, not "0"/],
    [['suspend', 'acme', '--idempotency-key', 'a b'], /^A key has 1 to 255 visible ASCII characters/],
    [['delete', 'acme'], /^This erases acme, after exporting its rows\. There is nobody to ask.*--yes\./],
    [['operations', 'x'], /^"x" is no id of an operation/],
    [['operations', '--wait'], /^Name the <id>/],
    [['operations', '--limit', '0'], /^--limit takes a whole number from 1/],
    [['impersonate', 'acme'], /^Give a --reason/],
    [['impersonate', 'acme', '--reason', 'r', '--minutes', '1.5'], /^--minutes takes a whole number/],
    [['run', 'acme'], /^Name a <tenant>, or --all, and one "<statement>"\./],
    [['run', '--all'], /^Name the <tenant>/],
    [['run', 'Acme', 'select 1'], /^"Acme" is no tenant id/],
  ])('%j is refused before anybody is asked', async ([name = '', ...args], message) => {
    const command = commands[name];
    if (!command) throw new Error(`There is no command ${name}.`);
    const run = async () => command.run(parseLine(command, [...args, '--data', server.folder]));
    const failure = await run().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(UsageError);
    expect((failure as UsageError).message).toMatch(message);
    expect(server.asked).toEqual([]);
  });
});

describe('operations', () => {
  test('are listed, shown and watched', async () => {
    server.answers = [json(200, { items: [operation('running', 1)], nextCursor: null }), running, failed];
    expect(JSON.parse((await tenant('operations', '--tenant', 'acme', '--limit', '5')).stdout)).toMatchObject([{ id }]);
    expect(await tenant('operations', id, '--wait')).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('It broke?'),
    });
    expect(requests()).toEqual([
      'GET /operations?tenantId=acme&limit=5',
      `GET /operations/${id}`,
      `GET /operations/${id}`,
    ]);
  });
});

describe('looking into things', () => {
  test('the audit log comes in pages until there is as much as was asked for', async () => {
    const entry = {
      entry: 1,
      at: '2026-01-01T00:00:00+00:00',
      actor: 'olga',
      action: 'suspend.requested',
      tenantId: 'acme',
      detail: {},
    };
    server.answers = [
      json(200, { items: Array.from({ length: 100 }, () => entry), nextCursor: 'c' }),
      json(200, { items: [entry], nextCursor: 'd' }),
    ];
    const { stdout } = await tenant('audit-log', 'acme', '--limit', '101');
    expect(JSON.parse(stdout)).toHaveLength(101);
    expect(requests()).toEqual([
      'GET /audit-log?tenantId=acme&limit=100',
      'GET /audit-log?tenantId=acme&limit=1&cursor=c',
    ]);
  });

  test('an impersonation is asked for once, whatever becomes of the answer', async () => {
    server.answers = [json(201, { id, token: 'abc', expiresAt: '2026-01-01T00:15:00+00:00' })];
    const { stdout } = await tenant('impersonate', 'acme', '--reason', 'Ticket 7', '--minutes', '5');
    expect(JSON.parse(stdout)).toMatchObject({ token: 'abc' });
    expect(requests()).toEqual(['POST /tenants/acme/impersonate {"reason":"Ticket 7","minutes":5}']);
    expect((await tenant('impersonate', 'acme', '--reason', 'Ticket 7')).code).toBe(1);
    expect(server.asked).toHaveLength(2);
  });

  test('an impersonation is ended by its id', async () => {
    server.answers = [(response) => void response.writeHead(204).end()];
    expect(await tenant('impersonate', 'acme', '--end', id)).toMatchObject({
      code: 0,
      stderr: expect.stringMatching(/is over/),
    });
    expect(requests()).toEqual([`DELETE /tenants/acme/impersonations/${id}`]);
  });

  test('more rows than there is room for are told of', async () => {
    server.answers = [json(200, { rows: [{ n: 1 }], truncated: true })];
    const { stdout, stderr } = await tenant('run', 'acme', 'select 1 as n');
    expect(JSON.parse(stdout)).toEqual([{ n: 1 }]);
    expect(stderr).toMatch(/there are more than these 1 rows/);
  });

  test('a statement is run as a tenant', async () => {
    server.answers = [json(200, { rows: [{ n: 1 }], truncated: false })];
    expect(JSON.parse((await tenant('run', 'acme', 'select 1 as n')).stdout)).toEqual([{ n: 1 }]);
    expect(requests()).toEqual(['POST /tenants/acme/statements {"sql":"select 1 as n"}']);
  });

  test.each([
    ['run', '--data', '<folder>', '--', '--all', 'select 1'],
    ['run', '--', '--all', 'select 1', '--data', '<folder>'],
    ['run', '--data', '<folder>', '--all', 'select 1'],
  ])('or as each, where one that fails does not keep the others from it: %s', async (...args) => {
    const items = ['acme', 'globex'].map((tenantId) => ({ ...tenantAnswer, tenantId }));
    const answer: Answerer = (response, { url }) =>
      (url.includes('acme')
        ? json(409, { title: 'Refused', code: 'constraint-violated', detail: 'No.', instance: 'r' })
        : json(200, { rows: [{ n: 1 }], truncated: false }))(response, { method: '', url: '', headers: {}, body: '' });
    server.answers = [json(200, { items, nextCursor: null })];
    server.otherwise = answer;
    const typed = args.map((arg) => arg.replace('<folder>', server.folder));
    const { code, stdout, stderr } = await tenantCommand(...typed);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([
      { tenantId: 'acme', error: expect.stringContaining('No.') },
      { tenantId: 'globex', rows: [{ n: 1 }] },
    ]);
    expect(stderr).toMatch(/^acme: Refused/);
    expect(requests()[0]).toBe('GET /tenants?state=active&limit=100');
  });
});

describe('at a terminal', () => {
  beforeEach(({ skip }) => skip(noTerminal !== undefined, noTerminal));

  test('progress is drawn in its place, and the end is told in colour', async () => {
    server.answers = [begun, running, running, ended];
    const { code, screen } = await atTerminal(line(...create));
    expect(code, screen).toBe(0);
    expect(screen).toContain('\r\u001b[2Konboard acme \u001b[36m██████████░░░░░░░░░░\u001b[39m  50 %');
    expect(screen).toContain('\u001b[32msucceeded\u001b[39m');
    expect(screen.split('\r\n').length).toBeLessThan(16);
  });

  test('there is no colour when NO_COLOR says so', async () => {
    server.answers = [begun, running, ended];
    const { screen } = await atTerminal(line(...create), { env: { NO_COLOR: '1' } });
    expect(screen).toContain('██████████░░░░░░░░░░');
    // What is left is the clearing of the line.
    expect(screen.replaceAll('\u001b[2K', '')).not.toContain('\u001b');
  });

  test('Ctrl-C ends the watching, not the operation, and says how to go on', async () => {
    server.answers = [begun];
    server.otherwise = running;
    const { code, screen } = await atTerminal(line(...create), { type: typing([/50 %/, '\u0003']) });
    expect(code).toBe(130);
    expect(screen).toContain('The operation goes on without being watched.');
    expect(screen.replaceAll(/\s/g, '')).toContain(`operations${id}--wait--data${server.folder}`);
  });

  test.each([
    ['acme', 0, 1],
    ['acmee', 1, 0],
    ['', 1, 0],
  ])('what destroys goes on when the id is typed, and not for %j', async (typed, exitCode, asked) => {
    server.answers = [begun, ended];
    const { code, screen } = await atTerminal(line('delete', 'acme'), { type: typing([/to go on: /, `${typed}\r`]) });
    expect(code, screen).toBe(exitCode);
    expect(screen).toContain('This erases acme, after exporting its rows.');
    expect(server.asked.filter(({ method }) => method === 'POST')).toHaveLength(asked);
    if (asked === 0) expect(screen).toContain('Nothing was done.');
  });

  test('Ctrl-D is no consent', async () => {
    const { code, screen } = await atTerminal(line('delete', 'acme'), { type: typing([/to go on: /, '\u0004']) });
    expect({ code, asked: server.asked }, screen).toEqual({ code: 1, asked: [] });
  });

  test('rows of somebody else are shown without what a terminal would obey, in lines that do not wrap', async () => {
    server.answers = [
      json(200, {
        rows: [{ name: '\u001b]0;evil\u0007\u009b2J', note: 'x'.repeat(200), none: null }],
        truncated: false,
      }),
    ];
    const { screen } = await atTerminal(line('run', 'acme', 'select 1'), { columns: 40, env: { NO_COLOR: '1' } });
    const lines = screen.trimEnd().split('\r\n');
    expect(lines[0]).toMatch(/^name +note +none$/);
    expect(lines[1]).toMatch(/^\?\]0;evil\?\?2J +x+… +null$/);
    for (const shown of lines) expect(shown.length).toBeLessThanOrEqual(40);
  });
});
