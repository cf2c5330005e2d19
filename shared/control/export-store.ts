import { createHash } from 'node:crypto';
import { GetObjectCommand, NoSuchKey, PutObjectCommand, type S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { uploadInParts } from './upload.ts';

export interface WrittenFile {
  readonly bytes: number;
  /** Hexadecimal. */
  readonly sha256: string;
}

/** Files of exports. */
export interface ExportStore {
  /** Writes a file, or writes it anew; it is there once all of it is. Give each a key that nobody else writes to. */
  write(key: string, content: AsyncIterable<Buffer>): Promise<WrittenFile>;
  /** Writes a small file where there is none. One that is there stays as it is, also when two write it at the same time. */
  writeFirst(key: string, content: Buffer): Promise<void>;
  /** The content of a file, as it comes; undefined if there is none. */
  read(key: string): Promise<AsyncIterable<Buffer> | undefined>;
}

/** Bytes that are held in memory, and sent at once. S3 takes 10,000 parts of 5 MiB at least: files of up to 80 GB. */
const partBytes = 8 * 1024 * 1024;

/** Exports in an S3 bucket. */
export function exportStoreIn(client: S3Client, bucket: string): ExportStore {
  return {
    write: async (key, content) => {
      const hash = createHash('sha256');
      let bytes = 0;
      const parts = inParts(content, (part) => {
        hash.update(part);
        bytes += part.length;
      });
      const [first, second] = [await parts.next(), await parts.next()];
      if (first.done === true || second.done === true) {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: first.value ?? Buffer.alloc(0) }));
      } else {
        await uploadInParts(client, { Bucket: bucket, Key: key }, [first.value, second.value], parts);
      }
      return { bytes, sha256: hash.digest('hex') };
    },
    writeFirst: async (key, content) => {
      try {
        await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: content, IfNoneMatch: '*' }));
      } catch (error) {
        if (!(error instanceof S3ServiceException) || error.name !== 'PreconditionFailed') throw error;
      }
    },
    read: async (key) => {
      try {
        const { Body } = await client.send(new GetObjectCommand({ Bucket: bucket, Key: key }));
        return Body as unknown as AsyncIterable<Buffer>;
      } catch (error) {
        if (error instanceof NoSuchKey) return undefined;
        throw error;
      }
    },
  };
}

/** Content in parts of one size, but for the last. */
async function* inParts(
  content: AsyncIterable<Buffer>,
  onPart: (part: Buffer) => void,
): AsyncGenerator<Buffer, undefined> {
  let chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    chunks.push(chunk);
    bytes += chunk.length;
    if (bytes < partBytes) continue;
    const part = Buffer.concat(chunks);
    chunks = [];
    bytes = 0;
    onPart(part);
    yield part;
  }
  if (bytes === 0) return;
  const part = Buffer.concat(chunks);
  onPart(part);
  yield part;
}
