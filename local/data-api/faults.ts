import { ConnectionDropped } from '../aws/endpoint.ts';
import { type DataApiErrorName, dataApiError } from './errors.ts';
import type { Operation } from './requests.ts';

/** A fault to inject into calls, so that what a client does about it can be tested. */
export interface Fault {
  /** An error of the Data API, or a connection that breaks without an answer. */
  readonly error: DataApiErrorName | 'ConnectionDropped';
  /** How many calls it strikes. @default 1 */
  readonly times?: number;
  /** Strikes these operations only. @default all */
  readonly operations?: readonly Operation[];
  /** Strikes before the call has any effect, or once it has had it and only the answer is missing. @default 'before' */
  readonly when?: 'before' | 'after';
  readonly message?: string;
}

/** Faults that are still to strike, in the order in which they were injected. */
export class Faults {
  #pending: { readonly fault: Fault; left: number }[] = [];

  inject(fault: Fault): void {
    this.#pending.push({ fault, left: fault.times ?? 1 });
  }

  /** The fault that strikes this call, which counts as one of its times. */
  take(operation: Operation): Fault | undefined {
    const next = this.#pending.find(({ fault }) => fault.operations?.includes(operation) ?? true);
    if (!next) return undefined;
    next.left -= 1;
    if (next.left <= 0) this.#pending = this.#pending.filter((other) => other !== next);
    return next.fault;
  }
}

/** The error that a call struck by the fault ends with. */
export function faultError({ error, message }: Fault): Error {
  if (error === 'ConnectionDropped') return new ConnectionDropped();
  return dataApiError(error, message ?? `${error} was injected.`);
}
