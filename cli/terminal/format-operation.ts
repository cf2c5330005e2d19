import type { Operation } from '../api/operations.ts';
import { formatFields } from './fields.ts';
import type { Colour } from './paint.ts';
import type { Shown } from './print.ts';
import { printable } from './printable.ts';
import { type Column, formatTable } from './table.ts';
import { clockOf, minuteOf } from './times.ts';

const colours: Readonly<Record<string, Colour>> = {
  succeeded: 'green',
  failed: 'red',
  running: 'cyan',
  undoing: 'yellow',
  undone: 'yellow',
};
const stateColour = (state: string): Colour => colours[state] ?? 'dim';

/** `rows 1,200, tables 3` */
export const countsOf = ({ counts }: Pick<Operation, 'counts'>): string =>
  Object.entries(counts)
    .map(([name, count]) => `${printable(name)} ${count.toLocaleString('en')}`)
    .join(', ');

/** Milliseconds from when it was asked for until it ended, or now. */
export function elapsedMs({ createdAt, endedAt }: Pick<Operation, 'createdAt' | 'endedAt'>, now: number): number {
  return Math.max(0, (endedAt === null ? now : Date.parse(endedAt)) - Date.parse(createdAt));
}

const columns: readonly Column<Operation>[] = [
  { title: 'OPERATION', of: ({ id }) => id, colour: () => 'bold', isWhole: true },
  { title: 'TENANT', of: ({ tenantId }) => tenantId },
  { title: 'KIND', of: ({ kind }) => kind },
  { title: 'STATE', of: ({ state }) => state, colour: ({ state }) => stateColour(state) },
  { title: 'DONE', of: ({ percent }) => `${percent} %` },
  { title: 'ASKED FOR', of: ({ createdAt }) => minuteOf(createdAt) },
  { title: 'BY', of: ({ actor }) => actor, isLong: true },
];

/** A table for a terminal, a line an operation. */
export const formatOperations = (operations: readonly Operation[], shown: Shown): string =>
  formatTable(operations, columns, { ...shown, noun: 'operation' });

type Step = Operation['steps'][number];
const stepColumns: readonly Column<Step>[] = [
  { title: 'STEP', of: ({ name }) => name, isLong: true },
  { title: 'STATE', of: ({ state }) => state, colour: ({ state }) => stateColour(state) },
  { title: 'TOOK', of: tookOf },
];

function tookOf({ startedAt, endedAt }: Step): string {
  if (startedAt === null || endedAt === null) return '';
  return `${((Date.parse(endedAt) - Date.parse(startedAt)) / 1_000).toFixed(1)} s`;
}

/** One operation for a terminal: a line a field, and a line a step. */
export function formatOperation(operation: Operation, shown: Shown, now = Date.now()): string {
  const { id, tenantId, kind, state, percent, error, actor, createdAt, steps } = operation;
  const counts = countsOf(operation);
  const fields = formatFields(
    {
      Operation: [id, 'bold'],
      Tenant: tenantId,
      Kind: kind,
      State: [state, stateColour(state)],
      Done: `${percent} %, ${clockOf(elapsedMs(operation, now))} since ${minuteOf(createdAt)}`,
      By: actor,
      ...(counts && { Counts: counts }),
      ...(error && { Error: [`${error.message} [${error.code}]`, 'red'] as const, Remedy: error.remedy }),
    },
    shown.paint,
  );
  return steps.length === 0 ? fields : `${fields}\n\n${formatTable(steps, stepColumns, { ...shown, noun: 'step' })}`;
}
