import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { readAs } from '../api/answer.ts';
import { connect, connectionOptions } from '../api/connect.ts';
import type { ControlPlane } from '../api/control-plane.ts';
import { pathOf } from '../api/tenants.ts';
import { defineCommand, tenantPositional } from '../command.ts';
import { UsageError } from '../command-error.ts';
import { formatFields } from '../terminal/fields.ts';
import { print } from '../terminal/print.ts';
import { printable } from '../terminal/printable.ts';
import { wholeNumber } from '../whole-number.ts';

const impersonationSchema = z.looseObject({ id: z.string(), token: z.string(), expiresAt: z.string() });

/** `tenant impersonate` */
export const impersonateCommand = defineCommand({
  summary: 'get a short-lived token to act for a tenant',
  description:
    'Prints a token for the API of tenants that acts for a tenant. Reason and every use are in the audit log. --end ends one before its time.',
  positionals: [tenantPositional],
  options: {
    reason: { value: 'R', help: 'why, for the audit log' },
    minutes: { value: 'M', help: 'after how many it is over, 1 to 60 (default: 15)' },
    end: { value: 'ID', help: 'end the impersonation of this id: its token is refused from the next request on' },
    ...connectionOptions,
  },
  async run({ options, positionals: [tenantId = ''] }) {
    const { reason, minutes, end, json } = options;
    if (end !== undefined) return endImpersonation(await connect(options), tenantId, end);
    if (!reason?.trim()) throw new UsageError('Give a --reason: it is kept in the audit log.');
    const body = { reason, ...(minutes !== undefined && { minutes: wholeNumber('--minutes', minutes, 1, 60) }) };
    const plane = await connect(options);
    // Sent twice it would be two tokens, one of which nobody knows.
    const once = { idempotencyKey: randomUUID(), isRepeatable: false };
    const answer = readAs(impersonationSchema, await plane.post(pathOf(tenantId, 'impersonate'), body, once));
    print(answer, json, ({ id, token, expiresAt }, { paint }) =>
      formatFields({ Impersonation: [id, 'bold'], Until: expiresAt, Token: token }, paint),
    );
    return 0;
  },
});

async function endImpersonation(plane: ControlPlane, tenantId: string, id: string): Promise<number> {
  await plane.delete(pathOf(tenantId, `impersonations/${encodeURIComponent(id)}`));
  console.error(`The impersonation ${printable(id)} is over.`);
  return 0;
}
