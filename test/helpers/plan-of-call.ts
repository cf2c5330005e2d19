import type { TestTenantDatabase } from './tenant-database.ts';

interface Statement {
  readonly sql: string;
  readonly parameters: readonly { name: string; value: { stringValue: string } }[];
}

/** How Postgres executes the statement that was sent last. */
export async function planOfLastCall({ calls, postgres }: TestTenantDatabase): Promise<string> {
  const { sql, parameters } = calls.at(-1)?.request as Statement;
  const values = new Map(parameters.map(({ name, value }) => [name, value.stringValue]));
  const text = sql.replaceAll(/(?<!:):([a-z_]+)/g, (_, name: string) => `'${values.get(name) ?? ''}'`);
  const explained = `explain (analyze, buffers off, timing off) ${text}`;
  const { rows } = await postgres.superuser.query<{ 'QUERY PLAN': string }>(explained);
  return rows.map((row) => row['QUERY PLAN']).join('\n');
}
