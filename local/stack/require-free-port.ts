import { createServer } from 'node:net';
import { StartupError } from './startup-error.ts';

/** Finds out before the work of starting, not after it. @throws StartupError if the port is in use or may not be used */
export async function requireFreePort(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartupError(
          error.code === 'EADDRINUSE'
            ? `Port ${port} is in use. Stop what uses it, or choose another with --port N (0: any free one).`
            : `Port ${port} cannot be used (${error.code}). Choose another with --port N (0: any free one).`,
          error,
        ),
      ),
    );
    server.listen(port, '127.0.0.1', resolve);
  });
  await new Promise((resolve) => server.close(resolve));
}
