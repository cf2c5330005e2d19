import { tenantHomeName } from '../../../shared/contract/index.ts';
import type { OperationWorld, TestSubject } from './operation-world.ts';

export type Traces = Readonly<Record<string, unknown>>;

interface RegistryTraces {
  readonly tenants: readonly { readonly api_key: string | null; readonly api_key_id: string | null }[] | null;
}

/** All that there is of a tenant anywhere, without what differs from one run to the next: ids, times, values of keys. */
export async function tenantTraces(
  { database, keys, alone, exports, cache, secrets }: OperationWorld,
  { tenantId, isRemembered }: TestSubject,
  operationId = 'none',
): Promise<Traces> {
  const [key, ...more] = keys.of(tenantId);
  const { superuser } = database.postgres;
  const { rows } = await alone(() =>
    superuser.query<{ traces: RegistryTraces }>(
      `select jsonb_build_object(
       'tenants', (select jsonb_agg(to_jsonb(t) - '{created_at,updated_at}'::text[]) from registry.tenants t where tenant_id = $1),
       'placements', (select jsonb_agg(to_jsonb(p) - 'lock_key') from tenancy.placements p where tenant_id = $1),
       'events', (select jsonb_agg(to_jsonb(e) - '{id,created_at}'::text[] order by sequence)
         from registry.events e where tenant_id = $1),
       'auditLog', (select jsonb_agg(to_jsonb(a) - '{entry,at}'::text[] order by entry)
         from registry.audit_log a where tenant_id = $1),
       'operations', (select jsonb_agg(to_jsonb(o) - '{created_at,updated_at,ended_at,steps,turn}'::text[] || jsonb_build_object('steps',
           (select jsonb_agg(s -> 'name' || (s -> 'state') order by place)
            from jsonb_array_elements(o.steps) with ordinality e (s, place))))
         from registry.operations o where tenant_id = $1),
       'rows', jsonb_build_object(
         'projects', (select jsonb_agg(to_jsonb(p) order by id) from pool.projects p where tenant_id = $1),
         'tasks', (select jsonb_agg(to_jsonb(t) order by id) from pool.tasks t where tenant_id = $1),
         'idempotencyKeys', (select jsonb_agg(to_jsonb(k) order by key) from pool.idempotency_keys k where tenant_id = $1)),
       'home', (select jsonb_object_agg(c.relname, case c.relkind when 'r' then query_to_xml(
           format('select * from %s where tenant_id = %L order by 1, 2', c.oid::regclass, $1::text), true, false, '')::text end)
         from pg_class c where c.relnamespace = to_regnamespace($2)),
       'homeMigrations', (select jsonb_agg(m.version order by m.version) from tenancy.migrations m where m.target = $2),
       'database', (select d.datacl::text from pg_database d where d.datname = $2),
       'role', (select jsonb_build_object('login', r.rolcanlogin, 'config', r.rolconfig) from pg_roles r where r.rolname = $2),
       'homeTarget', (select to_jsonb(t) from tenancy.migration_targets t where t.target = $2)
     ) as traces`,
      [tenantId, tenantHomeName(tenantId)],
    ),
  );
  // The key itself may be gone already.
  const [registered] = rows[0]?.traces.tenants ?? [];
  const traces = {
    ...rows[0]?.traces,
    keys: [key, ...more].filter((stored) => stored !== undefined),
    isRemembered: isRemembered(),
    exports: exports.of(tenantId),
    cacheKeys: await cache.cache.count(tenantId),
    secrets: await secrets.secrets.find(tenantId),
  };
  return JSON.parse(
    JSON.stringify(traces, (name, value: unknown) => (isTime(name) ? 'TIME' : value))
      .replaceAll(/secret:silo\/\w+\/[\da-f]{12}-\w{6}/g, 'SECRET')
      // The folder of an attempt to export.
      .replaceAll(/"[\da-f-]{36}(?=\/[^"/]+\.\d+\.jsonl")/g, '"ATTEMPT')
      .replaceAll(tenantId, 'TENANT')
      .replaceAll(tenantHomeName(tenantId), 'HOME')
      .replaceAll(operationId, 'OPERATION')
      .replaceAll(key?.id ?? registered?.api_key_id ?? 'none', 'KEY ID')
      .replaceAll(key?.value ?? registered?.api_key ?? 'none', 'KEY VALUE'),
  ) as Traces;
}

/** When an export was made, or a proof. */
const isTime = (name: string): boolean => name === 'exportedAt' || name === 'at';
