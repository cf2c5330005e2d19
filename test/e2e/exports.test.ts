import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { beforeAll, expect, inject, test } from 'vitest';
import { expectProblem, field, send, tokenOf } from '../helpers/api-client.ts';
import { type Operator, operatorOf } from '../helpers/operator.ts';
import { readStackFile } from '../helpers/stack.ts';

let operator: Operator;
beforeAll(async () => {
  operator = await operatorOf('olga');
});

const namesOf = async (tenantId: string): Promise<unknown[]> => {
  const { json } = await send('GET', '/projects', { token: await tokenOf(tenantId) });
  return (field(json, 'items') as { name: string }[]).map(({ name }) => name).sort();
};

test('a tenant is exported, comes again under another name, and goes without leaving anything', async () => {
  const { dataDir } = inject('stack');
  await operator.operate('/tenants', { tenantId: 'leaver', name: 'Leaver', plan: 'free' });
  const token = await tokenOf('leaver');
  for (const name of ['First', 'Zweites – "ü"']) await send('POST', '/projects', { token, body: { name } });

  const exported = await operator.operate('/tenants/leaver/export', {});
  expect(exported).toMatchObject({ state: 'succeeded', error: null, counts: { exportedRows: 2 } });
  const folder = join(dataDir, 'exports', 'leaver', exported.id);
  const [attempt = '', ...others] = (await readdir(folder)).sort();
  expect(others).toEqual(['manifest.json']);
  expect((await readdir(join(folder, attempt))).sort()).toEqual([
    'idempotency_keys.1.jsonl',
    'projects.1.jsonl',
    'tasks.1.jsonl',
  ]);
  const lines = (await readFile(join(folder, attempt, 'projects.1.jsonl'), 'utf8')).trim().split('\n');
  expect(lines.map((line) => (JSON.parse(line) as { name: string }).name).sort()).toEqual(await namesOf('leaver'));

  const unmade = { tenantId: 'comer', name: 'Comer', plan: 'pro', from: '0190a0a0-0000-7000-8000-000000000000' };
  expectProblem(await operator.ask('POST', '/tenants', { body: unmade }), 409, 'export-unusable');
  const body = { tenantId: 'comer', name: 'Comer', plan: 'pro', from: exported.id };
  await expect(operator.operate('/tenants', body)).resolves.toMatchObject({ state: 'succeeded', error: null });
  expect(await namesOf('comer')).toEqual(await namesOf('leaver'));

  const gone = await operator.operate('/tenants/leaver/offboard', {});
  expect(gone).toMatchObject({
    state: 'succeeded',
    error: null,
    counts: { rows: 2, erasedRows: 2, exportedRows: 2 },
    result: { proof: { apiKeys: 0, secrets: 0, cacheKeys: 0, rows: { 'pool.projects': 0, 'registry.tenants': 0 } } },
  });
  expectProblem(await send('GET', '/projects', { token }), 403, 'tenant-unknown');
  expectProblem(await operator.ask('GET', '/tenants/leaver'), 404, 'not-found');
  expect(await namesOf('comer')).toHaveLength(2);
  const redis = new Redis((await readStackFile(dataDir)).redisUrl);
  expect(await redis.keys('t:{leaver}:*')).toEqual([]);
  redis.disconnect();
});
