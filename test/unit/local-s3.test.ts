import { randomBytes } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  NoSuchKey,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AwsEndpoint } from '../../local/aws/endpoint.ts';
import { startS3 } from '../../local/s3/server.ts';
import { type ExportStore, exportStoreIn } from '../../shared/control/index.ts';

let folder: string;
let endpoint: AwsEndpoint;
let client: S3Client;
let store: ExportStore;

const megabyte = 1024 * 1024;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tenantry-s3-'));
  endpoint = await startS3({ buckets: { exported: { folder, prefix: 'exports/' } } });
  client = new S3Client({
    endpoint: endpoint.url,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'local', secretAccessKey: 'local' },
    maxAttempts: 1,
  });
  store = exportStoreIn(client, 'exported');
});
afterAll(async () => {
  client.destroy();
  await endpoint.stop();
  rmSync(folder, { recursive: true });
});

async function* inChunks(content: Buffer, size: number): AsyncGenerator<Buffer> {
  for (let start = 0; start < content.length; start += size) yield content.subarray(start, start + size);
}

async function readAll(key: string): Promise<Buffer | undefined> {
  const content = await store.read(key);
  if (!content) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const leftOvers = (): string[] => readdirSync(join(folder, '.uploads'));

describe('the store of exports, on the local S3', () => {
  it.each([
    ['nothing', 0],
    ['a few bytes', 10],
    ['exactly a part', 8 * megabyte],
    ['several parts', 20 * megabyte + 1],
  ])('writes %s as a plain file, and reads it again', async (_what, bytes) => {
    const content = randomBytes(bytes);
    const key = `exports/acme/${bytes}/tasks + ü.jsonl`;
    const written = await store.write(key, inChunks(content, 600_000));
    expect(written).toMatchObject({ bytes, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(readFileSync(join(folder, key.slice('exports/'.length))).equals(content)).toBe(true);
    expect((await readAll(key))?.equals(content)).toBe(true);
    expect(leftOvers()).toEqual([]);
  });

  it('leaves nothing of a file whose content fails on the way', async () => {
    const failing = async function* (): AsyncGenerator<Buffer> {
      for (let part = 0; part < 3; part += 1) yield randomBytes(8 * megabyte);
      throw new Error('The database went away.');
    };
    await expect(store.write('exports/acme/failed', failing())).rejects.toThrow('The database went away.');
    await expect(readAll('exports/acme/failed')).resolves.toBeUndefined();
    expect(leftOvers()).toEqual([]);
  });

  it('writes a file anew', async () => {
    await store.write('exports/acme/twice', inChunks(Buffer.from('a long first text'), 4));
    await store.write('exports/acme/twice', inChunks(Buffer.from('short'), 4));
    await expect(readAll('exports/acme/twice')).resolves.toEqual(Buffer.from('short'));
  });
});

describe('a file that is only written where there is none', () => {
  it('is the first one, also when many write it at the same time', async () => {
    const key = 'exports/acme/first';
    const writers = Array.from({ length: 20 }, (_, writer) => store.writeFirst(key, Buffer.from(`by ${writer}`)));
    await Promise.race(writers);
    const first = await readAll(key);
    await Promise.all(writers);
    await store.writeFirst(key, Buffer.from('late'));
    expect(first?.toString()).toMatch(/^by \d+$/);
    await expect(readAll(key)).resolves.toEqual(first);
    expect(leftOvers()).toEqual([]);
  });

  it('is refused by S3 where there is one', async () => {
    const put = { Bucket: 'exported', Key: 'exports/acme/there', Body: 'x', IfNoneMatch: '*' };
    await client.send(new PutObjectCommand(put));
    await expect(client.send(new PutObjectCommand(put))).rejects.toMatchObject({
      name: 'PreconditionFailed',
      $metadata: { httpStatusCode: 412 },
    });
    await expect(client.send(new PutObjectCommand({ ...put, IfNoneMatch: '"etag"' }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });
});

describe('the local S3', () => {
  const Bucket = 'exported';

  it('knows no other keys and buckets', async () => {
    await expect(client.send(new GetObjectCommand({ Bucket, Key: 'exports/nothing' }))).rejects.toThrow(NoSuchKey);
    await expect(store.read('exports/nothing')).resolves.toBeUndefined();
    await expect(exportStoreIn(client, 'other').read('exports/nothing')).rejects.toMatchObject({
      name: 'NoSuchBucket',
    });
  });

  it.each(['../outside', 'exports/../../outside', 'exports/.uploads/x', 'exports//b', 'postgres/x'])(
    'refuses the key %s',
    async (Key) => {
      await expect(client.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }))).rejects.toMatchObject({
        name: expect.stringMatching(/^(InvalidArgument|NoSuchBucket|AccessDenied)$/),
      });
    },
  );

  it('refuses a body that is not what its checksum says, parts of no upload, and what it does not know', async () => {
    const wrong = new PutObjectCommand({ Bucket, Key: 'exports/x', Body: 'x', ChecksumCRC32: 'AAAAAA==' });
    await expect(client.send(wrong)).rejects.toMatchObject({ name: 'BadDigest' });
    const UploadId = '00000000-0000-0000-0000-000000000000';
    await expect(
      client.send(new UploadPartCommand({ Bucket, Key: 'exports/x', UploadId, PartNumber: 1, Body: 'x' })),
    ).rejects.toMatchObject({ name: 'NoSuchUpload' });
    await expect(client.send(new DeleteObjectCommand({ Bucket, Key: 'exports/x' }))).rejects.toMatchObject({
      name: 'NotImplemented',
    });
  });

  it('wants a signature', async () => {
    const response = await fetch(`${endpoint.url}/exported/exports/nothing`);
    expect(response.status).toBe(403);
    await expect(response.text()).resolves.toContain('<Code>AccessDenied</Code>');
  });
});
