import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { listen, portOf } from './ports.ts';

/** A way to a server that can be made slow, or to swallow everything, as a network does that drops packets. */
export interface FaultyLink {
  readonly url: string;
  stall(): void;
  /** Lets through what comes over new connections; those that were stalled stay silent. */
  resume(): void;
  /** Holds answers back for so long from now on. */
  delay(ms: number): void;
  /** How often somebody has waited so far: what is sent before an answer has come belongs to one round trip. */
  roundTrips(): number;
  stop(): Promise<void>;
}

export async function startFaultyLink(targetPort: number): Promise<FaultyLink> {
  const sockets = new Set<Socket>();
  let stalled = false;
  let delayMs = 0;
  let roundTrips = 0;
  let isWaiting = false;
  const server = createServer((near) => {
    const far = connect(targetPort, '127.0.0.1');
    for (const [socket, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(socket);
      socket.on('error', () => other.destroy()).on('close', () => other.destroy());
    }
    if (stalled) return void near.pause();
    near.pipe(far);
    near.on('data', () => {
      if (!isWaiting) roundTrips += 1;
      isWaiting = true;
    });
    far.on('data', (answer: Buffer) => {
      const pass = (): void => {
        isWaiting = false;
        near.write(answer);
      };
      if (delayMs > 0) setTimeout(pass, delayMs);
      else pass();
    });
  });
  await listen(server);
  return {
    url: `redis://127.0.0.1:${portOf(server)}`,
    stall: () => {
      stalled = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    resume: () => (stalled = false),
    delay: (ms) => (delayMs = ms),
    roundTrips: () => roundTrips,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
