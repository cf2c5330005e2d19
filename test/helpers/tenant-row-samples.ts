import type { Client } from 'pg';
import { poolSchema } from '../../shared/contract/index.ts';
import { capabilityFor } from './capability.ts';
import type { TestDatabase } from './database.ts';

/** Rows in every table of a tenant who is at home in a schema, by default the pool, and active; always the same. */
export async function addSampleRows(
  { superuser }: TestDatabase,
  tenantId: string,
  schema: string = poolSchema,
): Promise<void> {
  await asTenant(superuser, tenantId, [
    `insert into ${schema}.projects (tenant_id, id, name, description, created_at, updated_at)
     select $1, ('00000000-0000-4000-8000-00000000000' || n)::uuid, 'Project ' || n, case n when 1 then E'Line\\n"two" ü' end,
       '2026-01-02 03:04:05.678901Z', '2026-01-02 03:04:05Z' from generate_series(1, 3) n`,
    `insert into ${schema}.tasks (tenant_id, id, project_id, title, due_on, created_at, updated_at)
     select $1, ('00000000-0000-4000-8000-00000000001' || n)::uuid, '00000000-0000-4000-8000-000000000001', 'Task ' || n,
       '2026-02-03', '2026-01-02 03:04:05.6Z', '2026-01-02 03:04:05Z' from generate_series(1, 4) n`,
    `insert into ${schema}.idempotency_keys (tenant_id, key, status, response, expires_at)
     values ($1, 'key', 'COMPLETED', '{"a": 1.50, "b": [null]}', 9007199254740993)`,
  ]);
}

/** Statements with the tenant's id as `$1`, by a superuser, whom no policy binds, but whom the fence asks for the tenant. */
export async function asTenant(superuser: Client, tenantId: string, statements: readonly string[]): Promise<void> {
  for (const statement of statements) {
    await superuser.query('begin');
    await superuser.query(`select set_config('tenancy.capability', $1, true)`, [capabilityFor(tenantId)]);
    await superuser.query(statement, [tenantId]);
    await superuser.query('commit');
  }
}
