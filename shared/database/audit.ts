import * as z from 'zod';
import type { Execute } from './migrator.ts';

const findingSchema = z.object({
  /** What kind of way around row-level security it is: docs/security.md. */
  class: z.number().int(),
  /** An error lets data out or in; a warning costs time, or tells little. */
  severity: z.enum(['error', 'warning']),
  object: z.string(),
  problem: z.string(),
  /** The statement that mends it, or advice behind `-- ` where there is none. */
  remedy: z.string(),
});

/** A way around row-level security that a database has. */
export type Finding = z.infer<typeof findingSchema>;

/** Findings a call: a response of the Data API ends at 1 MiB. */
const pageSize = 500;

/**
 * Every known way around row-level security that a database has, errors first; none if it is as migrations made it.
 *
 * @param execute runs statements as the owner of the kernel
 */
export async function audit(execute: Execute): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  for (;;) {
    const page = await execute(
      `select cast(to_json(f) as text) from tenancy.audit() f offset cast(:start as integer) limit ${pageSize}`,
      { start: String(findings.length) },
    );
    findings.push(...page.map((row) => findingSchema.parse(JSON.parse(String(row)))));
    if (page.length < pageSize) return findings;
  }
}
