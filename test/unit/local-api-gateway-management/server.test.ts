import {
  APIGatewayClient,
  BadRequestException,
  ConflictException,
  CreateApiKeyCommand,
  CreateUsagePlanKeyCommand,
  DeleteApiKeyCommand,
  DeleteUsagePlanKeyCommand,
  FlushStageAuthorizersCacheCommand,
  GetApiKeyCommand,
  GetApiKeysCommand,
  GetRestApisCommand,
  GetUsagePlanKeysCommand,
  GetUsagePlansCommand,
  NotFoundException,
  paginateGetApiKeys,
  TooManyRequestsException,
} from '@aws-sdk/client-api-gateway';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { awsRates } from '../../../local/api-gateway-management/rates.ts';
import { startTestManagement, type TestManagement } from '../../helpers/api-gateway-management.ts';

let management: TestManagement;
let client: APIGatewayClient;

beforeEach(async () => {
  management = await startTestManagement();
  client = management.client();
});
afterEach(() => management[Symbol.asyncDispose]());

const value = 'v'.repeat(20);
const create = (name: string, more = {}) => client.send(new CreateApiKeyCommand({ name, enabled: true, ...more }));
const attach = (keyId: string | undefined, usagePlanId: string) =>
  client.send(new CreateUsagePlanKeyCommand({ keyId, usagePlanId, keyType: 'API_KEY' }));

describe('an API key', () => {
  test('is answered as the SDK describes it, with its value when it is made or when asked', async () => {
    const made = await create('acme', { value });
    expect(made).toMatchObject({ name: 'acme', value, enabled: true, stageKeys: [], createdDate: expect.any(Date) });
    expect(made.$metadata.httpStatusCode).toBe(201);
    const bare = await client.send(new GetApiKeyCommand({ apiKey: made.id }));
    expect(bare).toMatchObject({ id: made.id, name: 'acme', createdDate: made.createdDate });
    expect(bare.value).toBeUndefined();
    expect(await client.send(new GetApiKeyCommand({ apiKey: made.id, includeValue: true }))).toMatchObject({ value });
  });

  test('has a value of its own, of 20 to 128 characters', async () => {
    await create('acme', { value });
    const again = create('other', { value });
    await expect(again).rejects.toBeInstanceOf(ConflictException);
    await expect(again).rejects.toThrow('API Key already exists');
    await expect(create('short', { value: 'v'.repeat(19) })).rejects.toBeInstanceOf(BadRequestException);
    await expect(create('long', { value: 'v'.repeat(129) })).rejects.toBeInstanceOf(BadRequestException);
    expect((await create('any')).value).toMatch(/^[0-9a-f]{40}$/);
  });

  test('may have the name of another one, and cannot be used unless it says so', async () => {
    await create('acme');
    expect(await create('acme', { enabled: undefined })).toMatchObject({ name: 'acme', enabled: false });
    expect(management.keys.list()).toHaveLength(2);
  });

  test('is gone once it is deleted', async () => {
    const { id } = await create('acme');
    const deleted = await client.send(new DeleteApiKeyCommand({ apiKey: id }));
    expect(deleted.$metadata.httpStatusCode).toBe(202);
    await expect(client.send(new DeleteApiKeyCommand({ apiKey: id }))).rejects.toBeInstanceOf(NotFoundException);
    await expect(client.send(new GetApiKeyCommand({ apiKey: id }))).rejects.toBeInstanceOf(NotFoundException);
  });
});

describe('a list of API keys', () => {
  test('comes in pages, without values unless asked', async () => {
    for (let n = 0; n < 30; n += 1) await create(`tenant-${n}`);
    const first = await client.send(new GetApiKeysCommand({}));
    expect(first.items).toHaveLength(25);
    expect(first.items?.[0]?.value).toBeUndefined();
    const names = new Set<string | undefined>();
    for await (const { items = [] } of paginateGetApiKeys({ client, pageSize: 7 }, { includeValues: true })) {
      expect(items.length).toBeLessThanOrEqual(7);
      for (const { name, value: shown } of items) if (shown) names.add(name);
    }
    expect(names.size).toBe(30);
  });

  test('has the names that begin as asked', async () => {
    for (const name of ['acme', 'acme-two', 'globex']) await create(name);
    const { items = [], position } = await client.send(new GetApiKeysCommand({ nameQuery: 'acme' }));
    expect(items.map(({ name }) => name).sort()).toEqual(['acme', 'acme-two']);
    expect(position).toBeUndefined();
  });

  test.each([0, 501])('of %i keys is refused', async (limit) => {
    await expect(client.send(new GetApiKeysCommand({ limit }))).rejects.toBeInstanceOf(BadRequestException);
  });
});

describe('a usage plan', () => {
  test('is answered as the template has it', async () => {
    const { items } = await client.send(new GetUsagePlansCommand({}));
    expect(items).toHaveLength(3);
    expect(items).toContainEqual({
      id: 'free',
      name: 'tenantry-test-free',
      apiStages: [{ apiId: 'api1', stage: 'v1' }],
      throttle: { rateLimit: 5, burstLimit: 10 },
      quota: { limit: 100, period: 'MONTH', offset: 0 },
    });
  });

  test('takes a key that is in no other plan of the stage, and lets it go', async () => {
    const { id } = await create('acme');
    const attached = await attach(id, 'free');
    expect(attached).toMatchObject({ id, type: 'API_KEY', name: 'acme' });
    await expect(attach(id, 'free')).rejects.toBeInstanceOf(ConflictException);
    await expect(attach(id, 'pro')).rejects.toBeInstanceOf(ConflictException);
    const plans = await client.send(new GetUsagePlansCommand({ keyId: id }));
    expect(plans.items?.map((plan) => plan.id)).toEqual(['free']);
    const detach = (usagePlanId: string) => client.send(new DeleteUsagePlanKeyCommand({ usagePlanId, keyId: id }));
    await expect(detach('pro')).rejects.toBeInstanceOf(NotFoundException);
    await detach('free');
    await attach(id, 'pro');
    const { items } = await client.send(new GetUsagePlanKeysCommand({ usagePlanId: 'pro', nameQuery: 'acme' }));
    expect(items).toEqual([{ id, type: 'API_KEY', name: 'acme' }]);
  });

  test('and a key that are not there are not found', async () => {
    const { id } = await create('acme');
    await expect(attach('nothing', 'free')).rejects.toThrow('Invalid API Key identifier specified');
    await expect(attach(id, 'nothing')).rejects.toThrow('Invalid Usage Plan identifier specified');
    const other = new CreateUsagePlanKeyCommand({ usagePlanId: 'free', keyId: id, keyType: 'OTHER' });
    await expect(client.send(other)).rejects.toBeInstanceOf(BadRequestException);
  });
});

describe('the authorizer cache', () => {
  test('is flushed for the stage that is named, if there is one', async () => {
    const flush = (restApiId: string, stageName: string) =>
      client.send(new FlushStageAuthorizersCacheCommand({ restApiId, stageName }));
    expect((await flush('api1', 'v1')).$metadata.httpStatusCode).toBe(202);
    expect(management.flushed).toEqual(['api1/v1']);
    await expect(flush('api1', 'v2')).rejects.toBeInstanceOf(NotFoundException);
  });
});

test('calls above the rates are refused, and told when to come again', async () => {
  await using limited = await startTestManagement(awsRates);
  const once = limited.client(1);
  const calls = Array.from({ length: 20 }, (_, n) => once.send(new CreateApiKeyCommand({ name: `tenant-${n}` })));
  const refused = (await Promise.allSettled(calls)).flatMap((call) =>
    call.status === 'rejected' ? [call.reason] : [],
  );
  expect(refused.length).toBeGreaterThanOrEqual(1);
  expect(refused[0]).toBeInstanceOf(TooManyRequestsException);
  expect(refused[0]).toMatchObject({ retryAfterSeconds: '1' });
  expect(limited.keys.list()).toHaveLength(20 - refused.length);
});

test('a call that is not known here is refused by name', async () => {
  await expect(client.send(new GetRestApisCommand({}))).rejects.toThrow(/GET \/restapis is not supported here/);
});
