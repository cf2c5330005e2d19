import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type RequestContext, startContext } from './context.ts';
import type { Gateway } from './gateway.ts';
import { GatewayRefusal, type GatewayReply, refusalReply } from './gateway-responses.ts';
import { BodyTooLargeError, readHead, readRequest } from './request.ts';

export interface GatewayServer {
  readonly url: string;
  readonly port: number;
  stop(): Promise<void>;
}

export interface GatewayServerOptions {
  readonly gateway: Gateway;
  /** 0: any free port. */
  readonly port: number;
  /** Called after each answer, for access logs. */
  readonly onAnswered: (context: RequestContext) => void;
  /** Told of faults of the gateway's own. */
  readonly onFault: (error: unknown) => void;
}

/** The port is in use by something else. */
export class PortTakenError extends Error {
  override readonly name = 'PortTakenError';
}

/** API Gateway's limit on all headers of a request together. */
const headerLimitBytes = 10_240;

/**
 * Serves a gateway over HTTP on 127.0.0.1.
 *
 * @throws PortTakenError
 */
export async function startGatewayServer(options: GatewayServerOptions): Promise<GatewayServer> {
  const server = createServer(
    { maxHeaderSize: headerLimitBytes + 2_048, keepAliveTimeout: 30_000 },
    (request, response) => void serve(request, response, options, port),
  );
  server.on('clientError', refuseMalformed);
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        error.code === 'EADDRINUSE' ? new PortTakenError(`Port ${options.port} is in use.`, { cause: error }) : error,
      ),
    );
    server.listen(options.port, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  return {
    port,
    url: `http://127.0.0.1:${port}`,
    stop: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(
  message: IncomingMessage,
  response: ServerResponse,
  options: GatewayServerOptions,
  port: number,
): Promise<void> {
  const { gateway } = options;
  const begun = performance.now();
  const head = readHead(message);
  const context = startContext(gateway.api, head);
  let reply: GatewayReply;
  try {
    reply = await gateway.answer(await readRequest(message), context, port);
    send(response, reply, context);
  } catch (error) {
    const tooLarge = error instanceof BodyTooLargeError;
    if (!tooLarge && message.destroyed && !message.complete) return;
    if (!tooLarge) options.onFault(error);
    reply = refusalReply(
      gateway.api,
      context,
      head,
      new GatewayRefusal(tooLarge ? 'REQUEST_TOO_LARGE' : 'INTEGRATION_FAILURE'),
    );
    response.shouldKeepAlive = false;
    for (const name of response.getHeaderNames()) response.removeHeader(name);
    send(response, reply, context);
  }
  context.status = reply.status;
  context.responseLength = reply.body.length;
  context.responseLatency = Math.round(performance.now() - begun);
  options.onAnswered(context);
}

function send(response: ServerResponse, { status, headers, body }: GatewayReply, context: RequestContext): void {
  response.statusCode = status;
  response.setHeader('x-amzn-RequestId', context.requestId);
  response.setHeader('x-amz-apigw-id', context.extendedRequestId);
  for (const [name, values] of Object.entries(headers))
    response.setHeader(name, values.length > 1 ? values : (values[0] ?? ''));
  response.setHeader('Content-Length', body.length);
  response.end(body);
}

/** What is no HTTP never reaches the API, on AWS neither. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
