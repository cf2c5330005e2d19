import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** A way to a server that is as long as a network, counts, and can be made longer. */
export interface Link {
  readonly url: string;
  /** Times that somebody has waited so far: what is sent before an answer has come belongs to the same wait. */
  roundTrips(): number;
  /** Round trips take so long from now on. */
  delay(ms: number): void;
  stop(): void;
}

export async function startLink(port: number, latencyMs: number): Promise<Link> {
  let [count, waiting, delayMs] = [0, false, latencyMs];
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket.setNoDelay());
      socket.on('error', () => undefined).on('close', () => other.destroy());
    }
    near.on('data', (data: Buffer) => {
      if (!waiting) count += 1;
      waiting = true;
      void sleep(delayMs / 2).then(() => far.write(data));
    });
    far.on(
      'data',
      (data: Buffer) =>
        void sleep(delayMs / 2).then(() => {
          waiting = false;
          near.write(data);
        }),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('The link has no port.');
  return {
    url: `redis://127.0.0.1:${address.port}`,
    roundTrips: () => count,
    delay: (ms) => (delayMs = ms),
    stop: () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}
