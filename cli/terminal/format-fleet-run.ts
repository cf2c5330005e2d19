import { runAgain } from '../../shared/database/fleet-error.ts';
import type { RecordedFleetRun } from '../../shared/fleet/index.ts';
import type { Colour, Paint } from './paint.ts';
import { printable, printableLines } from './printable.ts';
import { clockOf, minuteOf } from './times.ts';

const colours: Readonly<Record<RecordedFleetRun['state'], Colour>> = {
  running: 'yellow',
  done: 'green',
  failed: 'red',
  stopped: 'red',
  overtaken: 'yellow',
};

/** What became of the migration runner's last run, or how far it is, as lines for a terminal. */
export function formatFleetRun(run: RecordedFleetRun, paint: Paint, now = Date.now()): string {
  const { state, done, failed, missing, putOff, causes, error, actor } = run;
  const since = (timestamp: string): string => minuteOf(new Date(timestamp).toISOString());
  const told = causes.reduce((sum, { count }) => sum + count, 0);
  const counts = [
    `${done} placements done`,
    `${failed} failed${missing > 0 ? `, ${missing} of them databases that are not there` : ''}`,
    ...(putOff > 0 ? [`${putOff} put off`] : []),
  ];
  return [
    paint('bold', 'Last run of the migration runner'),
    `  ${paint(colours[state], state)}, begun ${since(run.startedAt)}${actor === null ? '' : ` by ${printable(actor)}`}${run.endedAt === null ? '' : `, ended ${since(run.endedAt)}`}`,
    `  ${counts.join(', ')}`,
    ...(state === 'running'
      ? [`  Nothing has moved since ${since(run.movedAt)} (${clockOf(now - Date.parse(run.movedAt))}).`]
      : []),
    ...(error === null ? [] : [paint('red', indented(printableLines(error)))]),
    ...causes.map(({ version, count, placements, error: why }) => {
      const names = printable(placements.join(', ')) + (count > placements.length ? ', …' : '');
      return paint('red', `  ${printable(version)} failed in ${count}: ${names}\n    ${printable(why)}`);
    }),
    ...(causes.length > 0 && failed > told ? [paint('red', `  and ${failed - told} more`)] : []),
    ...(state === 'failed' || state === 'stopped' ? [`  ${runAgain}`] : []),
  ].join('\n');
}

const indented = (text: string): string => text.replace(/^/gm, '  ');
