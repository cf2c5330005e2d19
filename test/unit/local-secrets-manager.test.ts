import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateSecretCommand,
  type CreateSecretCommandInput,
  type CreateSecretCommandOutput,
  DeleteSecretCommand,
  DescribeSecretCommand,
  type Filter,
  GetSecretValueCommand,
  ListSecretsCommand,
  ResourceExistsException,
  ResourceNotFoundException,
  RotateSecretCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
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
    await expect(client.send(new RotateSecretCommand({ SecretId: arn }))).rejects.toMatchObject({
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

const create = (more: Partial<CreateSecretCommandInput> = {}): Promise<CreateSecretCommandOutput> =>
  client.send(new CreateSecretCommand({ Name: 'silo/dev/one', SecretString: 'x', ...more }));
const remove = (SecretId: string) =>
  client.send(new DeleteSecretCommand({ SecretId, ForceDeleteWithoutRecovery: true }));

describe('a secret made over the API', () => {
  afterEach(() => remove('silo/dev/one'));

  it('has an ARN with six random characters, by which, and by its name, it is found', async () => {
    const { ARN = '', Name, VersionId } = await create();
    expect(Name).toBe('silo/dev/one');
    expect(ARN).toMatch(/^arn:aws:secretsmanager:eu-central-1:000000000000:secret:silo\/dev\/one-[A-Za-z0-9]{6}$/);
    for (const id of [ARN, ARN.slice(0, -7), 'silo/dev/one'])
      expect(await get(id)).toMatchObject({ ARN, Name, VersionId, SecretString: 'x' });
  });

  it('is described with its tags, and listed by them, but never with its value', async () => {
    const Tags = [{ Key: 'tenantry:tenant', Value: 'acme' }];
    const { ARN, VersionId = '' } = await create({ Tags, Description: 'Login of acme' });
    const described = await client.send(new DescribeSecretCommand({ SecretId: 'silo/dev/one' }));
    expect(described).toMatchObject({
      ARN,
      Name: 'silo/dev/one',
      Description: 'Login of acme',
      Tags,
      VersionIdsToStages: { [VersionId]: ['AWSCURRENT'] },
      CreatedDate: expect.any(Date),
    });
    expect(described).not.toHaveProperty('SecretString');
    const Filters: Filter[] = [{ Key: 'tag-value', Values: ['acme'] }];
    const { SecretList } = await client.send(new ListSecretsCommand({ Filters }));
    expect(SecretList).toMatchObject([{ ARN, Name: 'silo/dev/one', Tags }]);
  });

  it('is made once: the same request again answers the same, and any other is refused', async () => {
    const ClientRequestToken = 'a'.repeat(32);
    const first = await create({ ClientRequestToken });
    expect(first.VersionId).toBe(ClientRequestToken);
    expect(await create({ ClientRequestToken })).toMatchObject({ ARN: first.ARN, VersionId: first.VersionId });
    await expect(create({ ClientRequestToken, SecretString: 'y' })).rejects.toBeInstanceOf(ResourceExistsException);
    await expect(create()).rejects.toBeInstanceOf(ResourceExistsException);
    await expect(create()).rejects.toThrow('the secret silo/dev/one already exists');
    expect(await get('silo/dev/one')).toMatchObject({ SecretString: 'x' });
  });

  it('is made once also when two ask at the same time', async () => {
    const answers = await Promise.allSettled([create(), create()]);
    expect(answers.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('is gone once it is deleted, and another of its name has another ARN', async () => {
    const { ARN = '' } = await create();
    expect(await remove(ARN)).toMatchObject({ ARN, Name: 'silo/dev/one', DeletionDate: expect.any(Date) });
    await expect(get(ARN)).rejects.toBeInstanceOf(ResourceNotFoundException);
    const describing = client.send(new DescribeSecretCommand({ SecretId: ARN }));
    await expect(describing).rejects.toBeInstanceOf(ResourceNotFoundException);
    expect((await create()).ARN).not.toBe(ARN);
    await expect(get(ARN)).rejects.toBeInstanceOf(ResourceNotFoundException);
  });

  it('may be deleted by force when there is none, and in no other way', async () => {
    expect(await remove('silo/dev/none')).toMatchObject({ Name: 'silo/dev/none' });
    const waiting = client.send(new DeleteSecretCommand({ SecretId: arn, RecoveryWindowInDays: 7 }));
    await expect(waiting).rejects.toMatchObject({ name: 'ValidationException' });
    expect(await get(arn)).toMatchObject({ ARN: arn });
  });

  it.each([
    ['a name of other characters', { Name: 'silo/dev/one two' }],
    ['a name of more than 512 characters', { Name: 'x'.repeat(513) }],
    ['no value', { SecretString: undefined }],
    ['a value of more than 65536 characters', { SecretString: 'x'.repeat(65_537) }],
    ['a token of less than 32 characters', { ClientRequestToken: 'short' }],
    ['a tag without a key', { Tags: [{ Key: '', Value: 'x' }] }],
    ['a key of KMS, which is not there', { KmsKeyId: 'alias/x' }],
  ])('is refused with %s', async (_what, wrong) => {
    await expect(create(wrong)).rejects.toMatchObject({ name: 'ValidationException' });
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
