import { createHash } from 'node:crypto';
import type { Client } from 'pg';
import { poolSchema } from '../../../shared/contract/index.ts';
import { capabilityFor } from '../../helpers/capability.ts';

/** Begins every value that only rows of others hold: text, numbers and the last part of ids. */
const canary = '739184620';
const canaryDate = '7391-08-04';
/** As it stands, backwards, and as bytes in hexadecimal. */
const needles = [canary, canary.split('').reverse().join(''), Buffer.from(canary).toString('hex'), canaryDate];

export const attacker = 'mallory';
/** Whose rows must stay unseen, and their state in the pool. */
export const victims = { victim: 'active', 'sleeping-beauty': 'suspended', emigrant: 'moved', traveller: 'moving' };

/** Whether a text shows anything of another tenant's rows. */
export const showsCanary = (text: string): boolean => needles.some((needle) => text.includes(needle));

/** Ids of the victims' first rows, which the attacker has got to know. */
export const knownIds = Object.keys(victims).map((_, index) => `00000000-0000-4000-8000-00000000000${index + 1}`);
const unknownIds = Object.keys(victims).map((_, index) => `00000000-0000-4000-8000-${canary}00${index + 1}`);

/** Gives each victim rows in every table, all of whose values are canaries where the attacker cannot know them; the kernel too. */
export async function plantCanaries(superuser: Client, owner: Client): Promise<void> {
  for (const [index, [tenant, state]] of Object.entries(victims).entries()) {
    await superuser.query('begin');
    // The fence asks everybody for a capability, superusers too.
    await superuser.query(`select set_config('tenancy.capability', $1, true)`, [capabilityFor(tenant)]);
    for (const id of [knownIds[index], unknownIds[index]]) {
      const text = `${canary}577 of ${tenant} ${id === knownIds[index] ? 1 : 2}`;

      await superuser.query(
        `insert into pool.projects (tenant_id, id, name, description, version, created_at) values ($1, $2, $3, $3, $4, $5::text::date)`,
        [tenant, id, text, `1${canary}`, canaryDate],
      );
      await superuser.query(
        `insert into pool.tasks (tenant_id, id, project_id, title, assignee, due_on, estimate_minutes, created_at)
         values ($1, $2, $2, $3, $3, $5::text::date, $4, $5::text::date)`,
        [tenant, id, text, `1${canary}`, canaryDate],
      );
      await superuser.query(
        `insert into pool.idempotency_keys (tenant_id, key, status, response, request_hash, expires_at)
         values ($1, $2, 'COMPLETED', jsonb_build_object('body', $2::text), $2, $3)`,
        [tenant, text, `1${canary}`],
      );
    }
    await superuser.query('commit');
    await owner.query('select tenancy.set_placement($1, $2, $3)', [tenant, poolSchema, state]);
  }
  await superuser.query(`
    update registry.tenants set name = '${canary} ' || name, api_key = '${canary}-key' where tenant_id <> '${attacker}';
    update tenancy.placements set lock_key = ${canary}000 + length(tenant_id) where tenant_id <> '${attacker}';
    insert into tenancy.signing_keys (key_id, inner_pad, outer_pad)
      select 'k${canary}', p, p from convert_to(repeat('${canary}', 7) || '.', 'UTF8') p`);
  // So that statistics hold the canaries too.
  await superuser.query('analyze');
}

/** Everything that no statement of the attacker may change, in one text: rows of others, the kernel, the registry, the catalog. */
export async function untouchables(superuser: Client): Promise<string> {
  const { rows: tables } = await superuser.query<{ name: string; own: boolean }>(
    `select c.oid::regclass::text as name, n.nspname not in ('tenancy', 'registry') and exists (
         select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as own
     from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind = 'r' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema' order by 1`,
  );
  const sums = tables.map(({ name, own }) => {
    const where = own ? ` where tenant_id <> '${attacker}'` : '';
    return `select '${name}: ' || coalesce(string_agg(t::text, ',' order by t::text), '') from ${name} t${where}`;
  });
  const { rows } = await superuser.query<{ digest: string }>(`select * from (${sums.join(' union all ')}) s(digest)
    union all select string_agg(format('%s %s %s %s %s %s', oid::regclass, relowner, relacl, relrowsecurity, relforcerowsecurity, relkind), ',' order by oid)
      from pg_class where relnamespace not in ('pg_toast'::regnamespace, 'pg_catalog'::regnamespace)
    union all select string_agg(p::text, ',' order by oid) from pg_policy p
    union all select string_agg(format('%s %s %s', oid, tgrelid, tgenabled), ',' order by oid) from pg_trigger
    union all select string_agg(md5(p::text), ',' order by oid) from pg_proc p where oid >= 16384
    union all select string_agg(format('%s %s', nspname, nspacl), ',' order by oid) from pg_namespace
    union all select string_agg(r::text, ',' order by oid) from pg_authid r
    union all select string_agg(m::text, ',' order by oid) from pg_auth_members m`);
  return createHash('sha256').update(JSON.stringify(rows)).digest('hex');
}
