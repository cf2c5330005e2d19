import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, type ReadStream } from 'node:fs';
import { link, mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { S3Error } from './s3-error.ts';

export interface StoredObject {
  readonly bytes: number;
  readonly modifiedAt: Date;
  readonly content: ReadStream;
}

/** S3's least size of a part that is not the last one. */
const leastPartBytes = 5 * 1024 * 1024;

const etagOf = (content: Buffer): string => `"${createHash('md5').update(content).digest('hex')}"`;

/** Where a bucket is on this machine. */
export interface BucketFolder {
  readonly folder: string;
  /** What every key begins with. The rest of it is the path of a file in the folder. */
  readonly prefix: string;
}

/** Objects of a bucket as plain files. */
export class ObjectFiles {
  readonly #folder: string;
  readonly #prefix: string;

  constructor({ folder, prefix }: BucketFolder) {
    this.#folder = folder;
    this.#prefix = prefix;
  }

  /** @param ifNone whether only where there is no such object. @throws S3Error PreconditionFailed where there is one */
  async put(key: string, content: Buffer, ifNone = false): Promise<string> {
    const target = this.#fileOf(key);
    const draft = await this.#draft();
    await writeFile(draft, content, { mode: 0o600 });
    await (ifNone ? publishFirst : publish)(draft, target);
    return etagOf(content);
  }

  async get(key: string): Promise<StoredObject | undefined> {
    const file = this.#fileOf(key);
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) return undefined;
    return { bytes: found.size, modifiedAt: found.mtime, content: createReadStream(file) };
  }

  async beginUpload(key: string): Promise<string> {
    this.#fileOf(key);
    const uploadId = randomUUID();
    await mkdir(this.#uploadOf(uploadId), { recursive: true, mode: 0o700 });
    return uploadId;
  }

  async putPart(uploadId: string, part: number, content: Buffer): Promise<string> {
    await this.#requireUpload(uploadId);
    await writeFile(join(this.#uploadOf(uploadId), String(part)), content, { mode: 0o600 });
    return etagOf(content);
  }

  /** Puts parts together in their order. @param parts number and tag of each */
  async completeUpload(
    key: string,
    uploadId: string,
    parts: readonly { number: number; etag: string }[],
  ): Promise<void> {
    await this.#requireUpload(uploadId);
    const draft = await this.#draft();
    const file = await open(draft, 'w', 0o600);
    try {
      for (const [index, { number, etag }] of parts.entries()) {
        const content = await readFile(join(this.#uploadOf(uploadId), String(number))).catch(() => undefined);
        if (!content || etagOf(content) !== etag)
          throw new S3Error(400, 'InvalidPart', `Part ${number} was not uploaded, or its tag is another.`);
        if (content.length < leastPartBytes && index < parts.length - 1)
          throw new S3Error(400, 'EntityTooSmall', `Part ${number} is smaller than the minimum allowed size.`);
        await file.write(content);
      }
    } finally {
      await file.close();
    }
    await publish(draft, this.#fileOf(key));
    await this.abortUpload(uploadId);
  }

  async abortUpload(uploadId: string): Promise<void> {
    await rm(this.#uploadOf(uploadId), { recursive: true, force: true });
  }

  async #requireUpload(uploadId: string): Promise<void> {
    const isThere = await readdir(this.#uploadOf(uploadId)).then(
      () => true,
      () => false,
    );
    if (!isThere) throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
  }

  async #draft(): Promise<string> {
    await mkdir(join(this.#folder, '.uploads'), { recursive: true, mode: 0o700 });
    return join(this.#folder, '.uploads', `${randomUUID()}.draft`);
  }

  #uploadOf(uploadId: string): string {
    if (!/^[0-9a-f-]{36}$/.test(uploadId))
      throw new S3Error(404, 'NoSuchUpload', 'The specified upload does not exist.');
    return join(this.#folder, '.uploads', uploadId);
  }

  #fileOf(key: string): string {
    if (!key.startsWith(this.#prefix)) throw new S3Error(403, 'AccessDenied', `Keys begin with ${this.#prefix} here.`);
    const segments = key.slice(this.#prefix.length).split('/');
    // A key of S3 may be anything; a path may not.
    if (segments.some((segment) => segment === '' || segment.startsWith('.') || /[\0\\]/.test(segment)))
      throw new S3Error(400, 'InvalidArgument', `The key ${key} cannot be a file here.`);
    return join(this.#folder, ...segments);
  }
}

async function publish(draft: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  await rename(draft, target);
}

/** A link is made by one alone, however many try. */
async function publishFirst(draft: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  try {
    await link(draft, target);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new S3Error(412, 'PreconditionFailed', 'At least one of the pre-conditions you specified did not hold');
  } finally {
    await rm(draft);
  }
}
