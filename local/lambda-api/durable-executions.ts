import { randomUUID } from 'node:crypto';
import type { InvocationResult } from '../lambda/function-process.ts';
import type { Meant } from './deployed-functions.ts';
import { lambdaError } from './errors.ts';

export interface DurableExecution {
  readonly arn: string;
  /** Its end. */
  readonly result: Promise<InvocationResult>;
}

interface NamedExecution extends DurableExecution {
  readonly payload: string;
  isClosed: boolean;
}

/**
 * Durable executions by name. A name stands for one execution, whether that is running, has succeeded or has failed, until the stack
 * ends or `keep` younger ones have been started; on AWS for as long as the function's `RetentionPeriodInDays` says.
 */
export class DurableExecutions {
  readonly #named = new Map<string, NamedExecution>();
  readonly #keep: number;

  constructor(keep = 10_000) {
    this.#keep = keep;
  }

  /**
   * The execution of a name, begun if there is none.
   *
   * @param name unique within the function. @default a name of its own
   * @throws AwsError DurableExecutionAlreadyStartedException if there is one of that name with another payload
   */
  start(
    { called, qualifier }: Meant,
    event: unknown,
    run: () => Promise<InvocationResult>,
    name: string = randomUUID(),
  ): DurableExecution {
    const key = `${called.arn}/${name}`;
    const payload = JSON.stringify(event);
    const known = this.#named.get(key);
    if (known?.payload === payload) return known;
    if (known) {
      throw lambdaError(
        'DurableExecutionAlreadyStartedException',
        `The durable execution ${name} has been started with another payload.`,
      );
    }
    const result = run();
    const arn = `${called.arn}:${qualifier}/durable-execution/${name}/${randomUUID()}`;
    const execution: NamedExecution = { arn, payload, result, isClosed: false };
    this.#named.set(key, execution);
    const close = (): void => void (execution.isClosed = true);
    result.then(close, close);
    this.#forgetOldest();
    return execution;
  }

  #forgetOldest(): void {
    for (const [key, { isClosed }] of this.#named) {
      if (this.#named.size <= this.#keep) return;
      if (isClosed) this.#named.delete(key);
    }
  }
}
