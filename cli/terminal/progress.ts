import type { Operation } from '../api/operations.ts';
import { countsOf, elapsedMs } from './format-operation.ts';
import type { Paint } from './paint.ts';
import { cutTo, printable } from './printable.ts';
import { clockOf } from './times.ts';

/** Shows how far an operation is, for as long as somebody watches. */
export interface ProgressView {
  show(operation: Operation): void;
  end(): void;
}

/** Where to write, and how wide that is. */
export interface Screen {
  write(text: string): unknown;
  readonly columns?: number;
}

const barWidth = 20;
const redrawMs = 200;
const clearLine = '\r\u001b[2K';

/**
 * How far an operation is, in one line that is no longer than the terminal is wide.
 *
 * @example onboard acme ███████████░░░░░░░░░ 60 % 3/5 api-key, rows 120 0:07
 */
export function progressLine(operation: Operation, now: number, columns: number, paint: Paint): string {
  const { kind, tenantId, percent, steps, error } = operation;
  const isIn = ({ state }: Operation['steps'][number]): boolean => state === 'running' || state === 'undoing';
  const current = steps.find(isIn) ?? steps.find(({ state }) => state === 'pending');
  const done = steps.filter(({ state }) => state === 'succeeded').length;
  const counts = countsOf(operation);
  const filled = Math.round((Math.min(100, Math.max(0, percent)) / 100) * barWidth);
  const bar = '█'.repeat(filled) + '░'.repeat(barWidth - filled);
  const step = current === undefined ? '' : `${error ? 'undoing ' : `${done + 1}/${steps.length} `}${current.name}`;
  const head = `${printable(`${kind} ${tenantId}`)} `;
  const tail = ` ${String(percent).padStart(3)} %  ${clockOf(elapsedMs(operation, now))}  ${printable(step)}${counts && `, ${counts}`}`;
  const hasRoom = head.length + barWidth + 14 < columns;
  const painted = hasRoom ? paint(error ? 'yellow' : 'cyan', bar) : '';
  return `${cutTo(head, columns - 1)}${painted}${cutTo(tail, columns - head.length - (hasRoom ? barWidth : 0) - 1)}`;
}

/** A line on a terminal, drawn again and again. */
export function liveProgress(screen: Screen, paint: Paint): ProgressView {
  let latest: Operation | undefined;
  const draw = (): void => {
    if (latest) screen.write(clearLine + progressLine(latest, Date.now(), screen.columns || 80, paint));
  };
  const timer = setInterval(draw, redrawMs).unref();
  return {
    show: (operation) => {
      latest = operation;
      draw();
    },
    end: () => {
      clearInterval(timer);
      screen.write(clearLine);
    },
  };
}

/** Where there is no terminal: a line for each step that is done, or undone. */
export function lineProgress(screen: Screen): ProgressView {
  const told = new Set<string>();
  return {
    show: ({ kind, tenantId, steps }) => {
      for (const [at, { name, state }] of steps.entries()) {
        const line = printable(`${kind} ${tenantId}: ${name} ${state} (${at + 1} of ${steps.length})`);
        if ((state !== 'succeeded' && state !== 'undone') || told.has(line)) continue;
        told.add(line);
        screen.write(`${line}\n`);
      }
    },
    end: () => undefined,
  };
}
