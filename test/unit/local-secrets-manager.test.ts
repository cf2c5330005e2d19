import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  ResourceNotFoundException,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AwsEndpoint } from '../../local/aws/endpoint.ts';
import { loginsOf, SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/server.ts';

const arn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:team/login-AbCdEf';
let secrets: SecretStore;
let endpoint: AwsEndpoint;
let client: SecretsManagerClient;

beforeAll(async () => {
  secrets = SecretStore.open();
  endpoint = await startSecretsManager({ secrets });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  client = new SecretsManagerClient({ endpoint: endpoint.url, region: 'eu-central-1', credentials, maxAttempts: 1 });
  await secrets.put(arn, '{"username":"app","password":"first"}');
});
afterAll(async () => {
  client.destroy();
  await endpoint.stop();
});

const get = (SecretId: string, more = {}): Promise<object> =>
  client.send(new GetSecretValueCommand({ SecretId, ...more }));

describe('the local Secrets Manager', () => {
  it.each([arn, arn.slice(0, -7), 'team/login'])('finds a secret by %s', async (id) => {
    expect(await get(id)).toMatchObject({
      ARN: arn,
      Name: 'team/login',
      SecretString: '{"username":"app","password":"first"}',
      VersionStages: ['AWSCURRENT'],
      CreatedDate: expect.any(Date),
    });
  });

  it('answers a new value, under a new version, as soon as there is one', async () => {
    const other = `${arn.slice(0, -13)}/rotated-AbCdEf`;
    await secrets.put(other, 'one');
    const before = secrets.get(other)?.versionId;
    await secrets.put(other, 'two');
    expect(await get(other)).toMatchObject({ SecretString: 'two' });
    expect(secrets.get(other)?.versionId).not.toBe(before);
    await expect(get(other, { VersionId: before })).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('knows neither other secrets nor other stages', async () => {
    await expect(get('team/nothing')).rejects.toThrow("Secrets Manager can't find the specified secret.");
    await expect(get(arn, { VersionStage: 'AWSPREVIOUS' })).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('refuses wrong requests and operations that it does not have', async () => {
    await expect(get('x'.repeat(2049))).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(client.send(new DescribeSecretCommand({ SecretId: arn }))).rejects.toMatchObject({
      name: 'UnknownOperationException',
      message: expect.stringContaining('Supported is secretsmanager.GetSecretValue'),
    });
  });

  it('reads database logins, and finds none in a secret that has no JSON', async () => {
    await secrets.put('arn:aws:secretsmanager:x:y:secret:plain-AbCdEf', 'no json');
    const login = loginsOf(secrets);
    expect(await login(arn)).toEqual({ username: 'app', password: 'first' });
    expect(await login('plain')).toEqual({ username: '', password: '' });
    expect(await login('nothing')).toBeUndefined();
  });
});

describe('a secret file', () => {
  it('keeps secrets for the next run, for its owner alone', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'tenantry-secrets-'));
    try {
      const file = join(folder, 'secrets.json');
      const first = SecretStore.open(file);
      await Promise.all([first.put(arn, 'one'), first.put(`${arn}2`, 'two')]);
      const second = SecretStore.open(file);
      expect([second.get(arn)?.value, second.get(`${arn}2`)?.value]).toEqual(['one', 'two']);
      expect((await stat(file)).mode & 0o777).toBe(0o600);
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  });
});
