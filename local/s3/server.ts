import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { AwsEndpoint } from '../aws/endpoint.ts';
import { type BucketFolder, ObjectFiles } from './object-files.ts';
import { S3Error, xmlOf } from './s3-error.ts';

export interface S3Options {
  /** Folder of each bucket. */
  readonly buckets: Readonly<Record<string, BucketFolder>>;
  /** Missing or 0: any free port. */
  readonly port?: number;
}

interface S3Request {
  readonly bucket: ObjectFiles;
  readonly bucketName: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly body: Buffer;
  /** Whether it is to be done only where there is no such object. */
  readonly ifNone: boolean;
}
type Answer = (request: S3Request, response: ServerResponse) => Promise<void>;

/** What S3 takes in one request; a body is kept in memory here, and nobody of ours sends more than a part. */
const requestLimitBytes = 64 * 1024 * 1024;

/**
 * Serves objects of Amazon S3 on 127.0.0.1, addressed by path, which is how the SDK addresses an endpoint that is an IP address:
 * PutObject, GetObject, and uploads in parts.
 */
export async function startS3(options: S3Options): Promise<AwsEndpoint> {
  const buckets = new Map(Object.entries(options.buckets).map(([name, folder]) => [name, new ObjectFiles(folder)]));
  const server = createServer((request, response) => void serve(request, response, buckets));
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  buckets: ReadonlyMap<string, ObjectFiles>,
): Promise<void> {
  try {
    const body = await readBody(request);
    checkSignature(request.headers.authorization);
    checkSums(request, body);
    const { pathname, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const [, bucketName = '', ...segments] = pathname.split('/').map(decodeURIComponent);
    const bucket = buckets.get(bucketName);
    if (!bucket) throw new S3Error(404, 'NoSuchBucket', `The specified bucket does not exist: ${bucketName}`);
    const answer = answers[nameOf(request.method ?? '', query)];
    if (!answer) {
      throw new S3Error(
        501,
        'NotImplemented',
        `${String(request.method)} ${String(request.url)} is not supported here.`,
      );
    }
    const ifNone = isConditional(request);
    await answer({ bucket, bucketName, key: segments.join('/'), query, body, ifNone }, response);
  } catch (error) {
    const { status, code, message } =
      error instanceof S3Error ? error : new S3Error(500, 'InternalError', String(error));
    if (response.headersSent) return void response.destroy();
    sendXml(response, status, xmlOf('Error', { Code: code, Message: message }));
  }
}

/** The method, and which of its meanings parameters give it. */
function nameOf(method: string, query: URLSearchParams): string {
  const known = ['uploads', 'partNumber', 'uploadId'].find((name) => query.has(name));
  const unknown = [...query.keys()].filter((name) => !['uploads', 'partNumber', 'uploadId', 'x-id'].includes(name));
  return unknown.length > 0 ? 'unknown' : [method, known].filter(Boolean).join(' ');
}

const uploadIdOf = ({ query }: S3Request): string => query.get('uploadId') ?? '';

const answers: Readonly<Record<string, Answer>> = {
  PUT: async ({ bucket, key, body, ifNone }, response) => {
    response.setHeader('etag', await bucket.put(key, body, ifNone));
    response.end();
  },
  GET: async ({ bucket, key }, response) => {
    const found = await bucket.get(key);
    if (!found) throw new S3Error(404, 'NoSuchKey', 'The specified key does not exist.');
    response.setHeader('content-length', found.bytes);
    response.setHeader('content-type', 'application/octet-stream');
    response.setHeader('last-modified', found.modifiedAt.toUTCString());
    await pipeline(found.content, response);
  },
  'POST uploads': async ({ bucket, bucketName, key }, response) => {
    const UploadId = await bucket.beginUpload(key);
    sendXml(response, 200, xmlOf('InitiateMultipartUploadResult', { Bucket: bucketName, Key: key, UploadId }));
  },
  'PUT partNumber': async (request, response) => {
    const number = Number(request.query.get('partNumber'));
    if (!(number >= 1 && number <= 10_000))
      throw new S3Error(400, 'InvalidArgument', 'Part number must be an integer between 1 and 10000.');
    response.setHeader('etag', await request.bucket.putPart(uploadIdOf(request), number, request.body));
    response.setHeader('x-amz-checksum-crc32', checksumOf(request.body));
    response.end();
  },
  'POST uploadId': async (request, response) => {
    const { bucket, bucketName, key, body } = request;
    const parts = [...body.toString().matchAll(/<Part>(.*?)<\/Part>/gs)].map(([, part = '']) => ({
      number: Number(/<PartNumber>(\d+)<\/PartNumber>/.exec(part)?.[1]),
      etag: (/<ETag>(.*?)<\/ETag>/.exec(part)?.[1] ?? '').replaceAll('&quot;', '"'),
    }));
    if (parts.length === 0) throw new S3Error(400, 'MalformedXML', 'The XML names no part.');
    await bucket.completeUpload(key, uploadIdOf(request), parts);
    sendXml(response, 200, xmlOf('CompleteMultipartUploadResult', { Bucket: bucketName, Key: key, ETag: '"parts"' }));
  },
  'DELETE uploadId': async (request, response) => {
    await request.bucket.abortUpload(uploadIdOf(request));
    response.statusCode = 204;
    response.end();
  },
};

function sendXml(response: ServerResponse, status: number, xml: string): void {
  response.statusCode = status;
  response.setHeader('content-type', 'application/xml');
  response.end(xml);
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request) {
    bytes += (chunk as Buffer).length;
    if (bytes <= requestLimitBytes) chunks.push(chunk as Buffer);
  }
  if (bytes > requestLimitBytes) throw new S3Error(400, 'EntityTooLarge', `More than ${requestLimitBytes} bytes.`);
  return Buffer.concat(chunks);
}

const checksumOf = (body: Buffer): string => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(body));
  return bytes.toString('base64');
};

/** S3 takes of `If-None-Match` the asterisk alone; of uploads in parts nobody of ours asks for it. */
function isConditional({ headers, method, url = '' }: IncomingMessage): boolean {
  const condition = headers['if-none-match'];
  if (condition === undefined) return false;
  if (condition === '*' && method === 'PUT' && !url.includes('partNumber')) return true;
  throw new S3Error(501, 'NotImplemented', 'If-None-Match is supported here with * and for PutObject alone.');
}

/** What the client says of the body has to be true. */
function checkSums({ headers }: IncomingMessage, body: Buffer): void {
  if (headers['content-encoding']?.includes('aws-chunked'))
    throw new S3Error(
      501,
      'NotImplemented',
      'Bodies in chunks are not supported here. Send one whose length is known.',
    );
  const expected = headers['x-amz-checksum-crc32'];
  if (expected !== undefined && expected !== checksumOf(body))
    throw new S3Error(400, 'BadDigest', 'The CRC32 you specified did not match the calculated checksum.');
}

/** As everywhere on this machine: a signature of the right form for the right service, which is not verified. */
function checkSignature(authorization = ''): void {
  if (!/^AWS4-HMAC-SHA256 Credential=[^\s,]+\/s3\/aws4_request,/.test(authorization))
    throw new S3Error(403, 'AccessDenied', 'The request carries no Signature Version 4 for s3.');
}
