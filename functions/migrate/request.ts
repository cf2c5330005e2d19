import * as z from 'zod';
import { progressSchema } from '../../shared/fleet/index.ts';
import { tenantIdSchema } from '../../shared/tenancy/index.ts';

const silo = {
  tenantId: tenantIdSchema,
  cluster: z.string().min(1),
  /** Of the operation that asks for it. @default it cannot come late */
  turn: z.strictObject({ operationId: z.uuid(), turn: z.number().int() }).optional(),
};

const requestSchema = z.discriminatedUnion('action', [
  z.strictObject({ action: z.literal('make'), ...silo }),
  z.strictObject({ action: z.literal('drop'), ...silo }),
  z.strictObject({ action: z.literal('continue'), progress: progressSchema }),
  z.strictObject({ action: z.literal('status'), after: z.string().optional() }),
]);
export type Request = Readonly<z.output<typeof requestSchema>>;

/**
 * What the runner is asked for.
 *
 * @returns nothing for a deployment, which says nothing
 * @throws Error that says what is wrong with the request
 */
export function readRequest(event: unknown): Request | undefined {
  if (typeof event !== 'object' || event === null || !('action' in event)) return undefined;
  const parsed = requestSchema.safeParse(event);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => `${path.join('.')}: ${message}`);
  throw new Error(`The migration runner cannot do what it was asked for. ${problems.join('; ')}.`);
}
