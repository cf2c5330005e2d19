/** Ctrl-C in a terminal reaches us twice, from the terminal and from npm: within this time it is the same one. */
const sameSignalMs = 500;

/** Calls `stop` at the first Ctrl-C, SIGTERM or closed terminal; another one after that ends the process at once. */
export function onceAskedToStop(stop: () => Promise<void>): void {
  let askedAt: number | undefined;
  const onSignal = (): void => {
    if (askedAt !== undefined && performance.now() - askedAt > sameSignalMs) process.exit(1);
    if (askedAt === undefined) void stop();
    askedAt ??= performance.now();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  // Whoever read our output has gone: that alone is no reason to stop, nor to fail.
  process.stdout.on('error', () => undefined);
}

/**
 * Stops as if asked to when npm, which started us, was killed: nobody could stop us in the terminal any more.
 * Without npm between, our parent may end as it likes, as with `nohup` or `&`.
 */
export function endWithParent(): void {
  if (process.env['npm_lifecycle_event'] === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) process.kill(process.pid, 'SIGTERM');
  }, 1_000).unref();
}
