import http from 'node:http';
import https from 'node:https';

/** Servers close what is idle for longer, Node's own after 5 s; a new connection costs a few milliseconds. */
const longestIdleMs = 4_000;

/** HTTP agents of a client whose requests must not be sent twice. */
export interface FreshConnections {
  readonly httpAgent: http.Agent;
  readonly httpsAgent: https.Agent;
  /**
   * Closes connections that the other end may have closed already. To be called before each request: a function that Lambda had
   * frozen hears of a closed connection only after it has sent a request into it, and nobody can tell whether that one was executed.
   */
  closeStale(): void;
}

export function freshConnections(): FreshConnections {
  const idleSince = new WeakMap<object, number>();
  const httpAgent = new http.Agent({ keepAlive: true });
  const httpsAgent = new https.Agent({ keepAlive: true });
  for (const agent of [httpAgent, httpsAgent]) agent.on('free', (socket: object) => idleSince.set(socket, Date.now()));
  return {
    httpAgent,
    httpsAgent,
    closeStale: () => {
      const oldest = Date.now() - longestIdleMs;
      for (const { freeSockets } of [httpAgent, httpsAgent]) {
        const idle = Object.values(freeSockets).flatMap((sockets) => sockets ?? []);
        for (const socket of idle) if ((idleSince.get(socket) ?? 0) < oldest) socket.destroy();
      }
    },
  };
}
