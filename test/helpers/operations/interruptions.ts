import type { Ports } from '../../../functions/operations/ports.ts';
import { AppError } from '../../../shared/errors/index.ts';

export interface Disturbance {
  /**
   * Place among the calls of the run, from 0: the process stops before it is made, which is all the same as after the one before it.
   * The one after the last stands for the end, where that is the last.
   */
  readonly stopBefore?: number | undefined;
  /** A step whose first change is made, but fails. */
  readonly failingStep?: string | undefined;
}

export interface DisturbedPorts {
  readonly ports: Ports;
  /** What was called so far, such as `registry.mark place running`. */
  readonly calls: string[];
  /** Resolves once the process has stopped. It makes no call after that, unless it goes on. */
  readonly stopped: Promise<void>;
  /** Has the process go on as if it had only been slow. */
  goOn(): void;
}

/** Ports that fail, or never answer, at a certain call. */
export function disturb(ports: Ports, { stopBefore, failingStep }: Disturbance = {}): DisturbedPorts {
  const { promise: stopped, resolve: announce } = Promise.withResolvers<undefined>();
  const { promise: wentOn, resolve: goOn } = Promise.withResolvers<undefined>();
  const calls: string[] = [];
  let runningStep: string | undefined;

  const stopHere = (): Promise<void> => {
    announce(undefined);
    // As dead as a process, unless somebody has it go on.
    return wentOn;
  };
  const wrap = <Port extends object>(port: Port, name: string): Port =>
    new Proxy(port, {
      get: (target, key) => {
        const method: unknown = Reflect.get(target, key);
        if (typeof method !== 'function') return method;
        return async (...args: unknown[]): Promise<unknown> => {
          const isMark = key === 'mark';
          const call = calls.push([`${name}.${String(key)}`, ...(isMark ? args.slice(1) : [])].join(' ')) - 1;
          if (call === stopBefore) await stopHere();
          const answer: unknown = await Reflect.apply(method, target, args);
          if (call + 1 === stopBefore && key === 'end') await stopHere();
          if (isMark) runningStep = args[2] === 'running' ? String(args[1]) : undefined;
          // Which changes nothing.
          else if (key !== 'requireTurn' && runningStep !== undefined && runningStep === failingStep) {
            runningStep = undefined;
            throw new AppError('conflict', `The step ${failingStep} cannot be done.`);
          }
          return answer;
        };
      },
    });
  return {
    calls,
    stopped,
    goOn: () => {
      goOn(undefined);
    },
    ports: Object.fromEntries(
      Object.entries(ports).map(([name, port]: [string, object]) => [name, wrap(port, name)]),
    ) as unknown as Ports,
  };
}
