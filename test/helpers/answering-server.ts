import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startIssuer } from '../../local/issuer/issuer-server.ts';

export interface Asked {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export type Answerer = (response: ServerResponse, asked: Asked) => unknown;

/** What stands in for a control plane, to see what a client makes of its answers. */
export interface AnsweringServer {
  readonly url: string;
  /** Folder of a stack whose control plane this is, for `--data`. */
  readonly folder: string;
  readonly asked: Asked[];
  /** One for each request, in this order; then `otherwise`. */
  answers: Answerer[];
  /** @default closes the connection */
  otherwise: Answerer;
  [Symbol.asyncDispose](): Promise<void>;
}

export const json =
  (status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Answerer =>
  (response) =>
    response.writeHead(status, headers).end(JSON.stringify(body));

/** Ends a connection without an answer. */
export const hangUp: Answerer = (response) => response.destroy();

/** Ends a connection in the middle of an answer. */
export const breakOff: Answerer = (response) => {
  response.writeHead(200, { 'content-length': 1_000 });
  response.write('{"id":', () => response.destroy());
};

export async function startAnsweringServer(): Promise<AnsweringServer> {
  const folder = await mkdtemp(join(tmpdir(), 'tenantry-cli-'));
  const issuer = await startIssuer(folder);
  const server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      const asked = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body };
      made.asked.push(asked);
      (made.answers.shift() ?? made.otherwise)(response, asked);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const resources = { region: 'eu-central-1', clusters: {}, roleSecrets: { owner: 'arn' } };
  await writeFile(join(folder, 'stack.json'), JSON.stringify({ controlPlaneUrl: url, dataApiUrl: '', resources }));
  const made: AnsweringServer = {
    url,
    folder,
    asked: [],
    answers: [],
    otherwise: hangUp,
    [Symbol.asyncDispose]: async () => {
      await issuer.stop();
      server.closeAllConnections();
      server.close();
      await rm(folder, { recursive: true });
    },
  };
  return made;
}
