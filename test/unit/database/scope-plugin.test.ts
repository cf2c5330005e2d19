import { type Compilable, type Kysely, sql } from 'kysely';
import { describe, expect, test } from 'vitest';
import { TenantScopeError } from '../../../shared/database/scope-error.ts';
import { ScopePlugin } from '../../../shared/database/scope-plugin.ts';
import type { Tables } from '../../../shared/database/tables.ts';
import { inTenant } from '../../helpers/cache.ts';
import { compileOnly } from './compile-only.ts';

type MakeQuery = (db: Kysely<Tables>) => Compilable;

const db = compileOnly(new ScopePlugin());
const compiled = (query: MakeQuery) => inTenant('acme', () => query(db).compile());
const statement = (query: MakeQuery) => {
  const { sql: text, parameters } = compiled(query);
  return { text, parameters };
};
const named = (tenant: string) => ({ tenant_id: tenant, name: 'One' });

describe('the plugin refuses', () => {
  test.each<[string, MakeQuery]>([
    ['a row of another tenant', (q) => q.insertInto('projects').values(named('globex'))],
    ['one of another tenant among several', (q) => q.insertInto('projects').values([named('acme'), named('globex')])],
    [
      'one of another tenant beside one that leaves it out',
      (q) => q.insertInto('projects').values([{ name: 'Two' }, named('globex')]),
    ],
    [
      'an expression for the tenant of a row',
      (q) => q.insertInto('projects').values({ name: 'One', tenant_id: sql<string>`'acme'` }),
    ],
    [
      'an insert from a query that does not name its columns',
      (q) => q.insertInto('projects').expression((eb) => eb.selectFrom('projects').selectAll()),
    ],
    [
      'an insert from a query that says the tenant itself',
      (q) =>
        q
          .insertInto('projects')
          .columns(['tenant_id', 'name'])
          .expression((eb) => eb.selectFrom('projects').select(['tenant_id', 'name'])),
    ],
    ['an update that gives a row away', (q) => q.updateTable('projects').set({ tenant_id: 'globex' } as never)],
    [
      'an update that gives a row away by a reference',
      (q) => q.updateTable('projects').set(sql.ref<string>('tenant_id'), 'globex'),
    ],
    [
      'an upsert that gives a row away',
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['tenant_id', 'id']).doUpdateSet({ tenant_id: 'globex' } as never)),
    ],
    ['a question for another tenant', (q) => q.selectFrom('projects').select('id').where('tenant_id', '=', 'globex')],
    [
      'a question for another tenant by a reference',
      (q) => q.selectFrom('projects').select('id').where(sql.ref('projects.tenant_id'), '=', 'globex'),
    ],
    [
      'a question for several tenants',
      (q) => q.selectFrom('projects').select('id').where('tenant_id', 'in', ['acme', 'globex']),
    ],
    [
      'a question that names the other tenant first',
      (q) =>
        q
          .selectFrom('projects')
          .select('id')
          .where((eb) => eb(eb.val('globex'), '=', eb.ref('tenant_id'))),
    ],
  ])('%s', (_, query) => {
    expect(() => compiled(query)).toThrow(TenantScopeError);
  });
});

describe('the plugin makes the same of a query, whether it names the own tenant or not:', () => {
  test.each<[string, MakeQuery, MakeQuery]>([
    [
      'the columns of a conflict',
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['tenant_id', 'id']).doNothing()),
      (q) =>
        q
          .insertInto('projects')
          .values({ name: 'One' })
          .onConflict((c) => c.columns(['id']).doNothing()),
    ],
    [
      'a row of nothing but defaults',
      (q) => q.insertInto('projects').values({ tenant_id: 'acme' } as never),
      (q) => q.insertInto('projects').defaultValues(),
    ],
    [
      'rows of which some name it',
      (q) => q.insertInto('projects').values([named('acme'), { ...named('acme'), version: 2 }]),
      (q) => q.insertInto('projects').values([named('acme'), { name: 'One', version: 2 }]),
    ],
  ])('%s', (_, naming, leavingOut) => {
    expect(statement(leavingOut)).toEqual(statement(naming));
  });

  test('a row that takes over the tenant of the row it was', () => {
    const query: MakeQuery = (q) =>
      q.updateTable('projects').set((eb) => ({ tenant_id: eb.ref('tenant_id') }) as never);
    expect(() => compiled(query)).not.toThrow();
  });
});
