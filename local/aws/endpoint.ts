import { randomUUID } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { AwsError } from './aws-error.ts';

export interface AwsRequest {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface AwsEndpointOptions {
  /** Any free port if it is 0. */
  readonly port: number;
  /** Service name that a signature must be scoped to, for example `rds-data`. */
  readonly signingName: string;
  readonly contentType: string;
  /** Largest request in bytes, headers included. */
  readonly requestLimitBytes: number;
  /** Answers a request with the value of the JSON body, or with an AwsAnswer; throws AwsError for every refusal. */
  readonly handle: (request: AwsRequest) => unknown;
  /** The error that unforeseen failures of our own become. */
  readonly internalError: (cause: unknown) => AwsError;
}

export interface AwsEndpoint {
  readonly url: string;
  stop(): Promise<void>;
}

/** An answer with a status of its own. */
export class AwsAnswer {
  readonly status: number;
  /** Value of the JSON body, or the body itself in a Buffer; undefined: no body. */
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, body?: unknown, headers: Readonly<Record<string, string>> = {}) {
    this.status = status;
    this.body = body;
    this.headers = headers;
  }
}

/** Thrown by a handler to drop the connection without an answer, as a failing network does. */
export class ConnectionDropped extends Error {}

/** Serves a JSON protocol of AWS on 127.0.0.1. */
export async function startAwsEndpoint(options: AwsEndpointOptions): Promise<AwsEndpoint> {
  const server = createServer((request, response) => void serve(request, response, options));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The server has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, options: AwsEndpointOptions): Promise<void> {
  response.setHeader('x-amzn-requestid', randomUUID());
  response.setHeader('content-type', options.contentType);
  try {
    const body = await readBody(request, options.requestLimitBytes);
    checkSignature(request.headers.authorization, options.signingName);
    const { pathname: path, searchParams: query } = new URL(request.url ?? '/', 'http://127.0.0.1');
    const { method = '', headers } = request;
    const answered = await options.handle({ method, path, query, headers, body });
    const answer = answered instanceof AwsAnswer ? answered : new AwsAnswer(200, answered);
    response.statusCode = answer.status;
    setHeaders(response, answer.headers);
    response.end(bytesOf(answer.body));
  } catch (error) {
    if (error instanceof ConnectionDropped) return void request.socket.destroy();
    const refusal = error instanceof AwsError ? error : options.internalError(error);
    response.statusCode = refusal.status;
    response.setHeader('x-amzn-errortype', refusal.name);
    setHeaders(response, refusal.headers);
    response.end(JSON.stringify({ __type: refusal.name, message: refusal.message, ...refusal.members }));
  }
}

function setHeaders(response: ServerResponse, headers: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
}

function bytesOf(body: unknown): string | Buffer {
  if (body === undefined) return '';
  return Buffer.isBuffer(body) ? body : JSON.stringify(body);
}

async function readBody(request: IncomingMessage, limitBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = request.rawHeaders.reduce((sum, text) => sum + text.length + 2, 0);
  for await (const chunk of request) {
    size += (chunk as Buffer).length;
    // The rest is read all the same: a client that is still sending would not see our answer.
    if (size <= limitBytes) chunks.push(chunk as Buffer);
  }
  if (size > limitBytes) {
    throw new AwsError('RequestEntityTooLargeException', 413, `The request has more than ${limitBytes} bytes.`);
  }
  return Buffer.concat(chunks).toString('utf8');
}

const sigV4 =
  /^AWS4-(?:HMAC-SHA256|ECDSA-P256-SHA256) Credential=([^\s,]+),\s*SignedHeaders=[^\s,]+,\s*Signature=[0-9a-f]+$/;

/**
 * Requires a signature of the right form for the right service, so that a client without credentials fails here as it would
 * on AWS. The signature itself is not verified: any access key is good, and there is no IAM.
 */
function checkSignature(authorization: string | undefined, signingName: string): void {
  if (!authorization) {
    throw new AwsError('MissingAuthenticationTokenException', 403, 'Missing Authentication Token');
  }
  const credential = sigV4.exec(authorization)?.[1];
  if (credential === undefined) {
    throw new AwsError(
      'IncompleteSignatureException',
      403,
      'Authorization header requires an AWS Signature Version 4 with Credential, SignedHeaders and Signature.',
    );
  }
  const [terminator, service] = credential.split('/').reverse();
  if (terminator !== 'aws4_request' || service !== signingName) {
    throw new AwsError(
      'InvalidSignatureException',
      403,
      `Credential should be scoped to correct service: '${signingName}'.`,
    );
  }
}
