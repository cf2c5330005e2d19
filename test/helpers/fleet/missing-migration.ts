import type { Client } from 'pg';

/** Makes a placement of a stack in which the last migration has not run, and drops it in the end. */
export async function withMissing(superuser: Client, schema: string, work: () => Promise<void>): Promise<void> {
  await superuser.query('set role tenantry_owner');
  await superuser.query('select tenancy.provision($1)', [schema]);
  try {
    await superuser.query(`drop table ${schema}.idempotency_keys`);
    await superuser.query(`delete from tenancy.migrations where target = $1 and version = '003_idempotency_keys'`, [
      schema,
    ]);
    await work();
  } finally {
    await superuser.query('select tenancy.drop_some($1, 100, 10000)', [schema]);
  }
}
