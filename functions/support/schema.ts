import * as z from 'zod';
import { describeOperatorApi } from '../../shared/http/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

const statement = z.strictObject({
  sql: z
    .string()
    .min(1)
    .max(20_000)
    .meta({
      description: 'One statement that reads, as the tenant: it meets the rows of this tenant and no others.',
      examples: ['select name, created_at from projects order by created_at desc'],
    }),
});

const result = z.object({
  rows: z.array(z.record(z.string(), z.unknown())).meta({
    description:
      'By names of columns; of columns of one name the last. Numbers that a double cannot hold exactly are texts.',
  }),
  truncated: z.boolean().meta({ description: 'Whether there are more rows, which were left out.' }),
});

export const supportApi = describeOperatorApi('support', {
  'POST /tenants/{tenantId}/statements': {
    summary: 'Run one read-only statement as a tenant, which is written to the audit log first',
    path: z.object({ tenantId: tenantIdSchema }),
    body: statement,
    response: result,
    errors: ['not-found', 'constraint-violated', 'statement-refused', 'result-too-large', 'tenant-moving'],
  },
});
