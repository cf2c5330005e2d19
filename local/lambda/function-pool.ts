import { FunctionProcess, type InvocationResult, type ProcessOptions } from './function-process.ts';

/** Lambda's limit on the payload of a synchronous invocation, in either direction. */
const payloadLimitBytes = 6 * 1024 * 1024;

/** The event is larger than Lambda takes. */
export class EventTooLargeError extends Error {
  override readonly name = 'EventTooLargeError';
}

export interface PoolOptions extends ProcessOptions {
  /** Most processes of the function at once; further events wait for one. */
  readonly maxProcesses: number;
  /** How long a process stays without an event while another one is idle too. @default a minute; Lambda takes some more */
  readonly idleMs?: number;
}

interface IdleProcess {
  readonly process: FunctionProcess;
  readonly retirement: NodeJS.Timeout;
}

/**
 * A function and its execution environments: an event goes to a warm process if one is idle, else to a new one, else it waits.
 * As on Lambda no process ever handles two events at once, and those that a burst of events has started end when they stay idle; one
 * is kept, which spares whoever develops the next cold start.
 */
export class FunctionPool {
  readonly #options: PoolOptions;
  /** The one that was used last is used first, so that the others become superfluous. */
  readonly #idle: IdleProcess[] = [];
  readonly #all = new Set<FunctionProcess>();
  readonly #waiting: ((process: FunctionProcess) => void)[] = [];
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /**
   * Invokes the function and waits for the answer.
   *
   * @throws EventTooLargeError
   */
  async invoke(event: unknown): Promise<InvocationResult> {
    const text = JSON.stringify(event);
    if (Buffer.byteLength(text) > payloadLimitBytes) throw new EventTooLargeError('The event is larger than 6 MB.');
    const process = await this.#acquire();
    try {
      const result = await process.invoke(text);
      return Buffer.byteLength(result.payload) > payloadLimitBytes ? responseTooLarge : result;
    } finally {
      this.#release(process);
    }
  }

  /** Loads the function in one process, so that the first event finds it warm. Returns why it could not be loaded. */
  async warm(): Promise<string | undefined> {
    const process = await this.#acquire();
    const error = await process.initError();
    this.#release(process);
    if (this.#stopped) return undefined;
    return error && [`${error.errorType}: ${error.errorMessage}`, ...error.trace].join('\n');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all([...this.#all].map((process) => process.stop()));
  }

  async #acquire(): Promise<FunctionProcess> {
    if (this.#stopped) throw new Error('The stack is stopping.');
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      clearTimeout(idle.retirement);
      if (idle.process.isAlive) return idle.process;
      this.#all.delete(idle.process);
    }
    if (this.#all.size < this.#options.maxProcesses) return this.#start();
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #start(): FunctionProcess {
    const process = new FunctionProcess(this.#options);
    this.#all.add(process);
    return process;
  }

  #release(process: FunctionProcess): void {
    if (!process.isAlive) this.#all.delete(process);
    if (this.#stopped) return;
    const next = this.#waiting.shift();
    if (next) next(process.isAlive ? process : this.#start());
    else if (process.isAlive) {
      const retirement = setTimeout(() => this.#retire(process), this.#options.idleMs ?? 60_000).unref();
      this.#idle.push({ process, retirement });
    }
  }

  #retire(process: FunctionProcess): void {
    if (this.#idle.length === 1) return;
    this.#idle.splice(
      this.#idle.findIndex((idle) => idle.process === process),
      1,
    );
    this.#all.delete(process);
    void process.stop();
  }
}

const responseTooLarge: InvocationResult = {
  isError: true,
  payload: JSON.stringify({
    errorType: 'Function.ResponseSizeTooLarge',
    errorMessage: `Response payload size exceeded maximum allowed payload size (${payloadLimitBytes} bytes).`,
  }),
};
