import * as z from 'zod';
import { readAs } from '../api/answer.ts';
import { connect, connectionOptions } from '../api/connect.ts';
import { defineCommand } from '../command.ts';
import { print, type Shown } from '../terminal/print.ts';
import { printable } from '../terminal/printable.ts';
import { type Column, formatTable } from '../terminal/table.ts';
import { minuteOf } from '../terminal/times.ts';

const quotaSchema = z.looseObject({
  name: z.string(),
  used: z.number().nullable(),
  limit: z.number().nullable(),
  percent: z.number().nullable(),
  growthPerDay: z.number().nullable(),
  exhaustedOn: z.string().nullable(),
  warning: z.boolean(),
  source: z.string(),
});
type Quota = z.output<typeof quotaSchema>;

const numberOf = (value: number | null): string => value?.toLocaleString('en') ?? '';

const columns: readonly Column<Quota>[] = [
  { title: 'QUOTA', of: ({ name }) => name, colour: ({ warning }) => (warning ? 'red' : 'bold'), isWhole: true },
  { title: 'USED', of: ({ used }) => numberOf(used) || 'unknown' },
  { title: 'OF', of: ({ limit }) => numberOf(limit) },
  { title: 'THAT IS', of: ({ percent }) => (percent === null ? '' : `${percent} %`), colour: warningColour },
  { title: 'A DAY', of: ({ growthPerDay }) => (growthPerDay === null ? '' : `+${numberOf(growthPerDay)}`) },
  { title: 'USED UP', of: ({ exhaustedOn }) => minuteOf(exhaustedOn ?? '').slice(0, 10), colour: warningColour },
  { title: 'WHAT IT IS', of: ({ source }) => source, isLong: true, colour: () => 'dim' },
];

function warningColour({ warning }: Quota): 'red' | undefined {
  return warning ? 'red' : undefined;
}

const formatQuotas = (quotas: readonly Quota[], shown: Shown): string =>
  formatTable(quotas, columns, { ...shown, noun: 'quota' });

/** `tenant quotas` */
export const quotasCommand = defineCommand({
  summary: 'how much room is left, and until when',
  description: 'Shows how much of what AWS limits is used, and when it is used up if tenants go on coming as they did.',
  options: connectionOptions,
  async run({ options }) {
    const { get } = await connect(options);
    const { items } = readAs(z.object({ items: z.array(quotaSchema) }), await get('/quotas'));
    print(items, options.json, formatQuotas);
    for (const { name, percent } of items.filter(({ warning }) => warning)) {
      console.error(`${printable(name)} is used up to ${percent} %.`);
    }
    return 0;
  },
});
