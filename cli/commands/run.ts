import { randomUUID } from 'node:crypto';
import * as z from 'zod';
import { tenantIdPattern } from '../../shared/tenancy/tenant.ts';
import { readAs } from '../api/answer.ts';
import { connect, connectionOptions } from '../api/connect.ts';
import type { ControlPlane } from '../api/control-plane.ts';
import { listTenants, pathOf } from '../api/tenants.ts';
import { defineCommand } from '../command.ts';
import { CommandError, UsageError } from '../command-error.ts';
import { inParallel } from '../in-parallel.ts';
import { formatRows, type Rows } from '../terminal/format-rows.ts';
import { print } from '../terminal/print.ts';
import { printableLines } from '../terminal/printable.ts';

const answerSchema = z.looseObject({ rows: z.array(z.record(z.string(), z.unknown())), truncated: z.boolean() });

/** Tenants that are asked at once. */
const atOnce = 4;
const everyTenant = '--all';

/** `tenant run` */
export const runCommand = defineCommand({
  summary: 'run one read-only statement as a tenant, or as each',
  description: `Runs one read-only statement as a tenant, which sees the rows of that tenant alone; with --all, as each active tenant in turn.
What follows "--" is no option: run -- --all "select count(*) from projects". Of columns of one name the last is shown: name them apart.`,
  positionals: [
    { name: 'tenant', completes: 'tenants' },
    { name: 'sql', isOptional: true },
  ],
  options: { all: { help: 'as each active tenant, in place of one' }, ...connectionOptions },
  arrange: (args) => {
    const at = args.indexOf('--');
    return at < 0 ? args : [...args.slice(0, at), ...args.slice(at + 3), ...args.slice(at, at + 3)];
  },
  async run({ options, positionals }) {
    const isAll = options.all || positionals[0] === everyTenant;
    const [tenantId, sql, ...others] = options.all ? [everyTenant, ...positionals] : positionals;
    if (tenantId === undefined || sql === undefined || others.length > 0) {
      throw new UsageError('Name a <tenant>, or --all, and one "<statement>".');
    }
    if (isAll) return runAsEach(await connect(options), sql, options.json);
    if (!tenantIdPattern.test(tenantId)) throw new UsageError(`${JSON.stringify(tenantId)} is no tenant id.`);
    print(await rowsOf(await connect(options), tenantId, sql), options.json, formatRows);
    return 0;
  },
});

async function rowsOf({ post }: ControlPlane, tenantId: string, sql: string): Promise<Rows> {
  const answer = await post(pathOf(tenantId, 'statements'), { sql }, { idempotencyKey: randomUUID() });
  const { rows, truncated } = readAs(answerSchema, answer);
  if (truncated)
    console.error(`${tenantId}: there are more than these ${rows.length} rows. Narrow the statement down.`);
  return rows;
}

/** One tenant’s failure does not keep the others from being asked; it makes the exit code 1. */
async function runAsEach(plane: ControlPlane, sql: string, json: boolean): Promise<number> {
  const tenants = await listTenants(plane, { state: 'active' });
  const asked = await inParallel(atOnce, tenants, async ({ tenantId }) => {
    try {
      return { tenantId, rows: await rowsOf(plane, tenantId, sql) };
    } catch (error) {
      if (!(error instanceof CommandError)) throw error;
      return { tenantId, rows: [], error: error.message };
    }
  });
  print(asked, json, (all, shown) =>
    formatRows(
      all.flatMap(({ tenantId, rows }) => rows.map((row) => ({ TENANT: tenantId, ...row }))),
      shown,
    ),
  );
  const byError = Map.groupBy(asked, ({ error }) => error);
  byError.delete(undefined);
  for (const [error, refused] of byError) {
    const [first, ...more] = refused.map(({ tenantId }) => tenantId);
    console.error(printableLines(`${first}${more.length > 0 ? ` and ${more.length} more` : ''}: ${error}`));
  }
  return byError.size > 0 ? 1 : 0;
}
