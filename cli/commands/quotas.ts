import * as z from 'zod';
import { connect, connectionOptions } from '../api/connect.ts';
import { defineCommand } from '../command.ts';
import { formatRows } from '../terminal/format-rows.ts';
import { print } from '../terminal/print.ts';

const quotasSchema = z.looseObject({ items: z.array(z.record(z.string(), z.unknown())) });

/** `tenant quotas` */
export const quotasCommand = defineCommand({
  summary: 'how much room is left, and until when',
  description: 'Shows how much of what AWS limits is used, and when it is used up if tenants go on coming as they did.',
  options: connectionOptions,
  async run({ options }) {
    const { get } = await connect(options);
    print(quotasSchema.parse(await get('/quotas')), options.json, ({ items }, shown) =>
      formatRows(items, shown, 'quota'),
    );
    return 0;
  },
});
