import * as z from 'zod';
import { id, text, timestamp } from '../../shared/http/index.ts';

export const newImpersonation = z.strictObject({
  reason: text(1, 500).meta({ description: 'Why. It is kept in the audit log.' }),
  minutes: z.int().min(1).max(60).default(15).meta({ description: 'After how many it is over.' }),
});
export type NewImpersonation = z.output<typeof newImpersonation>;

export const begunImpersonation = z.object({
  id,
  token: z.string().meta({
    description: 'Bearer token for the API of tenants, in place of one of a user. It is shown here and never again.',
  }),
  expiresAt: timestamp,
});
