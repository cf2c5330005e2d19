import { createWriteStream, type WriteStream } from 'node:fs';
import { join } from 'node:path';
import type { Deployment } from '../template/deployment.ts';
import { findFunction } from './definition.ts';
import { FunctionPool } from './function-pool.ts';
import type { InvocationResult } from './function-process.ts';

export interface FunctionsOptions {
  readonly deployment: Deployment;
  /** `AWS_ENDPOINT_URL_…` of this machine's services. */
  readonly endpoints: Readonly<Record<string, string>>;
  /** Values for environment keys whose AWS counterpart does not exist here. */
  readonly overrides: Readonly<Record<string, string>>;
  readonly logFolder: string;
  /** Takes a line about a process that ended, or had to be ended, instead of answering. */
  readonly onCrash?: (line: string) => void;
  /** Most processes of one function; of a durable one twice as many, since its executions mostly wait. */
  readonly maxProcesses: number;
}

interface RunningFunction {
  readonly name: string;
  readonly pool: FunctionPool;
  readonly log: WriteStream;
}

/** The functions of a deployment, each started when it is first used. */
export class Functions {
  readonly #options: FunctionsOptions;
  readonly #running = new Map<string, RunningFunction>();

  constructor(options: FunctionsOptions) {
    this.#options = options;
  }

  /** @throws EventTooLargeError, or TemplateError if there is no such function */
  invoke(arn: string, event: unknown): Promise<InvocationResult> {
    return this.#function(arn).pool.invoke(event);
  }

  /** Loads a function ahead of its first event. Returns why that failed, with the stack, if it did. */
  async warm(arn: string): Promise<string | undefined> {
    const problem = await this.#function(arn).pool.warm();
    return problem && `${this.name(arn)} cannot be loaded: ${problem}`;
  }

  name(arn: string): string {
    return this.#function(arn).name;
  }

  async stop(): Promise<void> {
    await Promise.all(
      [...this.#running.values()].map(async ({ pool, log }) => {
        await pool.stop();
        await new Promise((resolve) => log.end(resolve));
      }),
    );
  }

  #function(arn: string): RunningFunction {
    const known = this.#running.get(arn);
    if (known) return known;
    const { deployment, endpoints, overrides, logFolder, maxProcesses, onCrash } = this.#options;
    const definition = findFunction(deployment, arn, overrides);
    const logFile = join(logFolder, `${definition.name}.log`);
    const log = createWriteStream(logFile, { flags: 'a', mode: 0o600 });
    // What a process still prints while it is being ended has nowhere to go.
    log.on('error', () => undefined);
    const pool = new FunctionPool({
      definition,
      endpoints,
      maxProcesses: Math.min(
        definition.durableTimeoutSeconds === undefined ? maxProcesses : 2 * maxProcesses,
        definition.reservedConcurrency ?? Infinity,
      ),
      log: (text) => void log.write(text),
      onCrash: (reason) => onCrash?.(`${definition.name} ended unexpectedly: ${reason} (see ${logFile})`),
    });
    const running = { name: definition.name, pool, log };
    this.#running.set(arn, running);
    return running;
  }
}
