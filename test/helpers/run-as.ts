import type { Client } from 'pg';
import { poolSchema } from '../../shared/contract/index.ts';
import { capabilityFor } from './capability.ts';

/** Runs a statement as the kernel's callers do, through `tenancy.run`, and returns its rows. */
export async function runWith(
  app: Client,
  capability: string | null,
  statement: string,
  args: readonly unknown[] = [],
  schema = poolSchema,
): Promise<Record<string, unknown>[]> {
  const { rows } = await app.query('select * from tenancy.run($1, $2, $3, $4)', [
    capability,
    schema,
    statement,
    JSON.stringify(args),
  ]);
  return rows.map((row: { run: Record<string, unknown> }) => row.run);
}

/** The same for a tenant in good standing. */
export function runAs(
  app: Client,
  tenantId: string,
  statement: string,
  args: readonly unknown[] = [],
  schema = poolSchema,
) {
  return runWith(app, capabilityFor(tenantId), statement, args, schema);
}

/** SQLSTATE and message with which the work failed. Fails itself when the work does not. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  const outcome = await work.then(
    (value) => ({ value }),
    (error: unknown) => ({ error }),
  );
  if ('value' in outcome) throw new Error(`Expected a failure, got ${JSON.stringify(outcome.value)}`);
  const { code, message } = outcome.error as { code: string; message: string };
  return { code, message };
}
