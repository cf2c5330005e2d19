import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';

/** What happens to a call between the SDK and the endpoint. */
export const faults = [
  'delay',
  'stall',
  'reset before',
  'reset after',
  'throttling',
  'server error before',
  'server error after',
] as const;
export type Fault = (typeof faults)[number];

export interface FaultProxy {
  readonly url: string;
  /** Calls so far, and the faults that struck them. */
  readonly calls: number;
  readonly struck: Readonly<Record<Fault, number>>;
  stop(): Promise<void>;
}

/** How long a call is kept that stalls: longer than its caller waits. */
const stallMs = 1_500;

/**
 * A proxy before an endpoint of AWS that breaks calls, so that the SDK meets what a network and a busy service do to it.
 *
 * @param choose the fault of the call with this number, if any
 */
export async function startFaultProxy(
  target: string,
  choose: (call: number) => Fault | undefined,
): Promise<FaultProxy> {
  const struck = Object.fromEntries(faults.map((fault) => [fault, 0])) as Record<Fault, number>;
  let calls = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const fault = choose(calls++);
    if (fault) struck[fault] += 1;
    await strike(fault, request, response, () => forward(target, request, Buffer.concat(chunks)));
  };
  const server = createServer((request, response) => {
    // Whoever has called may be gone, and the endpoint may be stopping.
    serve(request, response).catch(() => request.socket.destroy());
  });
  await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (typeof address !== 'object' || !address) throw new Error('The proxy has no port.');
  return {
    url: `http://127.0.0.1:${address.port}`,
    get calls() {
      return calls;
    },
    struck,
    stop: async () => {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function strike(
  fault: Fault | undefined,
  request: IncomingMessage,
  response: ServerResponse,
  send: () => Promise<Response>,
): Promise<void> {
  const refusal = refusals[fault ?? 'delay'];
  const isBefore = fault === 'throttling' || fault?.endsWith(' before');
  if (fault === 'delay') await sleep(20);
  if (fault === 'stall') await sleep(stallMs);
  const answer = isBefore ? undefined : await send();
  const body = answer && Buffer.from(await answer.arrayBuffer());
  if (fault?.startsWith('reset')) request.socket.destroy();
  else if (refusal) reply(response, ...refusal, JSON.stringify({ message: 'Struck on purpose.' }));
  else if (answer && body) reply(response, answer.status, answer.headers.get('x-amzn-errortype'), body);
}

const refusals: Readonly<Partial<Record<Fault, readonly [number, string]>>> = {
  throttling: [429, 'ThrottlingException'],
  'server error before': [500, 'InternalServerErrorException'],
  'server error after': [500, 'InternalServerErrorException'],
};

function forward(target: string, request: IncomingMessage, body: Buffer): Promise<Response> {
  const { authorization = '', 'content-type': type = 'application/json', 'x-amz-target': operation } = request.headers;
  return fetch(new URL(request.url ?? '/', target), {
    method: request.method ?? 'POST',
    headers: { authorization, 'content-type': type, ...(operation && { 'x-amz-target': String(operation) }) },
    body: new Uint8Array(body),
  });
}

function reply(response: ServerResponse, status: number, error: string | null, body: string | Buffer): void {
  response.writeHead(status, { 'content-type': 'application/json', ...(error && { 'x-amzn-errortype': error }) });
  response.end(body);
}
