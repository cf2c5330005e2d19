import type { RDSDataClient } from '@aws-sdk/client-rds-data';
import type { Insertable, Kysely, Selectable, Updateable } from 'kysely';
import { expectTypeOf, test } from 'vitest';
import type { column, TablesOf } from '../../shared/database/columns.ts';
import * as database from '../../shared/database/index.ts';
import type { Tables, TenantDatabase } from '../../shared/database/index.ts';

type Exports = (typeof database)[keyof typeof database];

test('an unscoped client cannot be imported', () => {
  expectTypeOf<keyof typeof database>().toEqualTypeOf<
    | 'DatabaseError'
    | 'findImpersonation'
    | 'findTenant'
    | 'readText'
    | 'recordImpersonatedUse'
    | 'json'
    | 'JsonText'
    | 'tables'
    | 'tenantDatabase'
    | 'TenantScopeError'
    | 'rollbackMs'
    | 'sharePlacements'
    | 'withDeadline'
  >();
  expectTypeOf<Extract<Exports, RDSDataClient | (new (...args: never[]) => RDSDataClient)>>().toBeNever();
  // @ts-expect-error -- the door to statements of no tenant stays inside of shared/database
  void database.DataApi;
  // @ts-expect-error -- a database of another configuration is for tests
  void database.openTenantDatabase;
});

test('nothing that a tenant is can be handed in', () => {
  expectTypeOf(database.tenantDatabase).parameters.toEqualTypeOf<[]>();
  expectTypeOf(database.tenantDatabase()).toExtend<Kysely<Tables>>();
});

test('a column has the type that its values have', () => {
  expectTypeOf<Selectable<Tables['projects']>>().toEqualTypeOf<{
    tenant_id: string;
    id: string;
    name: string;
    description: string | null;
    archived: boolean;
    version: number;
    created_at: string;
    updated_at: string;
  }>();
  expectTypeOf<Selectable<Tables['idempotency_keys']>>().toExtend<{
    expires_at: string;
    in_progress_until: string | null;
  }>();
  expectTypeOf<Selectable<Tables['tasks']>['status']>().toEqualTypeOf<'open' | 'doing' | 'done'>();
});

test('a column takes what it can take', () => {
  expectTypeOf<{ name: string }>().toExtend<Insertable<Tables['projects']>>();
  expectTypeOf<{ name: string; tenant_id: string; created_at: Date }>().toExtend<Insertable<Tables['projects']>>();
  expectTypeOf<{ id: string }>().not.toExtend<Insertable<Tables['projects']>>();
  expectTypeOf<{ name: null }>().not.toExtend<Insertable<Tables['projects']>>();
  expectTypeOf<{ expires_at: bigint }>().toExtend<Updateable<Tables['idempotency_keys']>>();
  expectTypeOf<{ archived: string }>().not.toExtend<Updateable<Tables['projects']>>();
  expectTypeOf<{ status: 'late' }>().not.toExtend<Updateable<Tables['tasks']>>();
});

test('a batch has the type of each of its results', () => {
  const batch = (db: TenantDatabase) =>
    db.batch([
      db.selectFrom('projects').select(['id', 'version']),
      db.selectFrom('tasks').select('title as name'),
      db.insertInto('projects').values({ name: 'x' }).returning('id'),
    ]);
  expectTypeOf(batch).returns.resolves.toEqualTypeOf<
    [{ id: string; version: number }[], { name: string }[], { id: string }[]]
  >();
});

test('jsonb takes arrays only as json()', () => {
  type Documents = TablesOf<{ documents: { labels: ReturnType<typeof column.jsonb<string[]>> } }>;
  expectTypeOf<{ labels: database.JsonText<string[]> }>().toExtend<Insertable<Documents['documents']>>();
  expectTypeOf<{ labels: string[] }>().not.toExtend<Insertable<Documents['documents']>>();
});
