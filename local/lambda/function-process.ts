import { type ChildProcess, fork } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { FunctionDefinition } from './definition.ts';
import { functionEnvironment } from './environment.ts';
import type { InvokeMessage, ReportedError, WorkerMessage } from './messages.ts';

/** What an invocation came to: JSON text, and whether it is the function's answer or an error. */
export interface InvocationResult {
  readonly payload: string;
  readonly isError: boolean;
}

export interface ProcessOptions {
  readonly definition: FunctionDefinition;
  /** `AWS_ENDPOINT_URL_…` of this machine's services. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Takes what the function prints, and reports like Lambda's own. */
  readonly log: (text: string) => void;
  /** Told why, if the process ends, or has to be ended, instead of answering an event. */
  readonly onCrash?: (reason: string) => void;
}

/** Lambda gives the loading of a function ten seconds. */
const initTimeoutMs = 10_000;
/** 24 days. A durable execution may take a year on AWS; here it ends with the stack anyway. */
const longestTimerMs = 2 ** 31 - 1;
const workerFile = fileURLToPath(new URL('worker.ts', import.meta.url));

/** One execution environment of a function: it answers one event at a time, and is warm between them. */
export class FunctionProcess {
  readonly #options: ProcessOptions;
  readonly #child: ChildProcess;
  /** Ends the wait of whoever asked last: for the start at first, later for an answer. */
  #settle: ((message: WorkerMessage) => void) | undefined;
  readonly #started: Promise<WorkerMessage>;
  #ended = false;

  constructor(options: ProcessOptions) {
    this.#options = options;
    const { definition } = options;
    this.#child = fork(workerFile, definition.durableTimeoutSeconds === undefined ? [] : ['durable'], {
      // A group of its own: Ctrl-C in the terminal is for the stack, which ends its functions when nothing needs them any more.
      detached: true,
      execArgv: [`--max-old-space-size=${Math.floor(definition.memoryMegabytes * 0.9)}`],
      env: functionEnvironment(definition, options.endpoints),
      cwd: definition.folder,
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#child.stdout?.on('data', (chunk: Buffer) => options.log(chunk.toString()));
    this.#child.stderr?.on('data', (chunk: Buffer) => options.log(chunk.toString()));
    this.#child.on('message', (message: WorkerMessage) => this.#settle?.(message));
    this.#child.on('exit', (code, signal) => this.#settle?.(exitError(signal ?? `exit status ${code}`)));
    this.#child.on('error', (error) => this.#settle?.(exitError(error.message)));
    this.#started = this.#nextMessage(initTimeoutMs);
  }

  /** False once the process has ended or is about to. */
  get isAlive(): boolean {
    return !this.#ended && this.#child.connected;
  }

  /** Why the function could not be loaded; undefined when it could. */
  async initError(): Promise<ReportedError | undefined> {
    const message = await this.#started;
    if (message.type !== 'error') return undefined;
    this.#end();
    return message.error;
  }

  /**
   * @param event JSON
   * @returns the answer, or the error as Lambda words it; after a fatal one the process is not alive any more.
   */
  async invoke(event: string): Promise<InvocationResult> {
    const requestId = randomUUID();
    const failed = await this.initError();
    if (failed) return this.#crash(failed, requestId);
    const { timeoutSeconds, durableTimeoutSeconds = timeoutSeconds } = this.#options.definition;
    const timeoutMs = Math.min(durableTimeoutSeconds * 1_000, longestTimerMs);
    const begun = performance.now();
    const answer = this.#nextMessage(timeoutMs);
    const message: InvokeMessage = { requestId, event, deadlineMs: Date.now() + timeoutMs };
    this.#child.send(message, (error) => error && this.#settle?.(exitError(error.message)));
    const result = await answer;
    this.#options.log(`REPORT RequestId: ${requestId}\tDuration: ${(performance.now() - begun).toFixed(2)} ms\n`);
    if (result.type === 'result') return { payload: result.payload, isError: false };
    if (result.type === 'error' && !result.fatal) return this.#failure(result.error, requestId);
    return this.#crash(result.type === 'error' ? result.error : exitError('an unexpected message').error, requestId);
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const gone = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await gone;
  }

  /** What has failed once is in an unknown state: its process is never used again. */
  #end(): void {
    this.#ended = true;
    this.#child.kill('SIGKILL');
  }

  #crash(error: ReportedError, requestId: string): InvocationResult {
    this.#end();
    this.#options.onCrash?.(error.errorMessage);
    return this.#failure(error, requestId);
  }

  #nextMessage(timeoutMs: number): Promise<WorkerMessage> {
    const { promise, resolve } = Promise.withResolvers<WorkerMessage>();
    const timer = setTimeout(() => this.#settle?.(timeoutError(timeoutMs)), timeoutMs);
    this.#settle = (message) => {
      clearTimeout(timer);
      this.#settle = undefined;
      resolve(message);
    };
    return promise;
  }

  #failure(error: ReportedError, requestId: string): InvocationResult {
    const words = error.errorType.startsWith('Sandbox.') || error.errorType === 'Runtime.ExitError';
    const errorMessage = words ? `RequestId: ${requestId} Error: ${error.errorMessage}` : error.errorMessage;
    this.#options.log(
      `ERROR RequestId: ${requestId}\t${error.errorType}: ${errorMessage}\n${error.trace.join('\n')}\n`,
    );
    return { payload: JSON.stringify({ ...error, errorMessage }), isError: true };
  }
}

const exitError = (how: string): { type: 'error'; error: ReportedError; fatal: true } => ({
  type: 'error',
  error: { errorType: 'Runtime.ExitError', errorMessage: `Runtime exited with error: ${how}`, trace: [] },
  fatal: true,
});

const timeoutError = (timeoutMs: number): WorkerMessage => ({
  type: 'error',
  error: {
    errorType: 'Sandbox.Timedout',
    errorMessage: `Task timed out after ${(timeoutMs / 1_000).toFixed(2)} seconds`,
    trace: [],
  },
  fatal: true,
});
