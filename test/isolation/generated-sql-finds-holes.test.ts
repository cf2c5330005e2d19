import { describe, expect, it } from 'vitest';
import { createTestDatabase } from '../helpers/database.ts';
import { policyOf } from './audit-cases/audit-case.ts';
import { laySiege } from './generated-sql/siege.ts';

/** Statements within which a hole is found. */
const budget = 6_000;
const seed = 20_260_110;

/** Ways in that somebody might leave open; each is made in a database of its own. */
const holes: Readonly<Record<string, string>> = {
  'row-level security switched off': 'alter table pool.tasks disable row level security',
  'a policy that lets everything through': `
    drop policy tenant on pool.projects;
    create policy tenant on pool.projects using (true) with check (tenant_id = tenancy.current_tenant('pool'))`,
  'policies by equality': ['projects', 'tasks', 'idempotency_keys']
    .map((table) => `alter policy tenant on pool.${table} using (tenant_id = (select tenancy.current_tenant('pool')))`)
    .join(';'),
  'a second policy beside the first': 'create policy also on pool.idempotency_keys for select using (true)',
  'a table that the application owns, without FORCE': `
    grant create, usage on schema pool to tenantry_app;
    alter table pool.tasks owner to tenantry_app;
    alter table pool.tasks no force row level security`,
  'an application role that row-level security does not bind': `create table pool.notes (tenant_id text, body text);
    insert into pool.notes select 'victim', '739184620 of a table without protection';
    grant select on pool.notes to tenantry_app`,
  'a view with the rights of its owner': `
    create view pool.overview as select p.name, t.title from pool.projects p left join pool.tasks t on t.project_id = p.id;
    grant select on pool.overview to tenantry_app`,
  'a function with the rights of its owner': `
    create function pool.titles(pattern text) returns setof text language sql security definer
      as $$ select title from pool.tasks where title like pattern or pattern is not null $$;
    grant execute on function pool.titles to tenantry_app`,
  'a materialized view': `
    create materialized view pool.snapshot as select 1 as id, '739184620 of a snapshot' as title;
    grant select on pool.snapshot to tenantry_app`,
  'a check that is weaker than the policy': `
    drop policy tenant on pool.projects;
    create policy tenant on pool.projects using (${policyOf('pool')}) with check (true)`,
  'a kernel that believes a capability without its mac': `
    create or replace function tenancy.is_signed(capability text, inner_pad bytea, outer_pad bytea) returns boolean
      language sql stable return true`,
  'a kernel that serves a tenant who is suspended': `
    do $$ begin
      execute replace(pg_get_functiondef('tenancy.current_tenant'::regproc), $s$('active', 'moving', 'acting')$s$, $s$('active', 'suspended')$s$);
    end $$`,
  'a registry that the application may read': 'grant select on registry.tenants to tenantry_app',
  'placements that the application may change': 'grant select, update, delete on tenancy.placements to tenantry_app',
  'signing keys that the application may read': 'grant select on tenancy.signing_keys to tenantry_app',
};

describe(`${budget} generated statements`, () => {
  it.each(Object.entries(holes))('find the hole that was left open: %s', async (_, hole) => {
    await using database = await createTestDatabase();
    await database.superuser.query(hole);
    const siege = await laySiege(database);
    const report = await siege.attack(seed, budget);
    expect(report.breach, `none of ${budget} statements has found it`).toBeDefined();
  });
});
