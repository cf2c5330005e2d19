import * as z from 'zod';
import { connect, connectionOptions } from '../api/connect.ts';
import { listAll } from '../api/pages.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { print, type Shown } from '../terminal/print.ts';
import { type Column, formatTable } from '../terminal/table.ts';
import { minuteOf } from '../terminal/times.ts';
import { wholeNumber } from '../whole-number.ts';

const entrySchema = z.looseObject({
  at: z.string(),
  actor: z.string(),
  action: z.string(),
  tenantId: z.string().nullable(),
  detail: z.unknown(),
});
type Entry = z.output<typeof entrySchema>;

const columns: readonly Column<Entry>[] = [
  { title: 'AT', of: ({ at }) => minuteOf(at) },
  { title: 'TENANT', of: ({ tenantId }) => tenantId ?? '', colour: () => 'bold' },
  {
    title: 'ACTION',
    of: ({ action }) => action,
    colour: ({ action }) => (action.endsWith('failed') ? 'red' : undefined),
  },
  { title: 'BY', of: ({ actor }) => actor, isLong: true },
  { title: 'DETAIL', of: ({ detail }) => JSON.stringify(detail ?? {}), isLong: true, colour: () => 'dim' },
];

const formatEntries = (entries: readonly Entry[], shown: Shown): string =>
  formatTable(entries, columns, { ...shown, noun: 'entry', nouns: 'entries' });

/** `tenant audit-log` */
export const auditLogCommand = defineCommand({
  summary: 'list what operators have done',
  description:
    'Lists what operators have done, the latest first: to a tenant, or to all. --json has what was before and after.',
  positionals: [{ ...tenantPositional, isOptional: true }],
  options: {
    limit: { value: 'N', help: 'how many entries to list at most (default 50)' },
    ...connectionOptions,
  },
  async run({ options, positionals: [tenantId] }) {
    const most = wholeNumber('--limit', options.limit ?? '50', 1, 100_000);
    const entries = await listAll(await connect(options), '/audit-log', entrySchema, { tenantId }, most);
    print(entries, options.json, formatEntries);
    return 0;
  },
});
