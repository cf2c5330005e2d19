import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { provisionSchema, publishMigrations } from '../../shared/database/provision.ts';
import { dropPlacement, type FleetWorld, migration, names, startFleetWorld } from '../helpers/fleet/fleet-world.ts';

let world: FleetWorld;
beforeAll(async () => {
  world = await startFleetWorld();
  await world.provision([]);
});
afterAll(() => world[Symbol.asyncDispose]());

/** Everything of a schema's tables that isolates tenants, with the schema's own name taken out. */
const shapeOf = (schema: string) =>
  world.query(
    `select replace(jsonb_build_object('table', c.relname, 'rls', c.relrowsecurity, 'forced', c.relforcerowsecurity, 'acl', c.relacl::text,
      'columns', (select jsonb_agg(jsonb_build_array(a.attname, a.atttypid::regtype, a.attnotnull, a.attstattarget,
        (select pg_get_expr(d.adbin, d.adrelid) from pg_attrdef d where d.adrelid = c.oid and d.adnum = a.attnum)) order by a.attnum)
        from pg_attribute a where a.attrelid = c.oid and a.attnum > 0),
      'policies', (select jsonb_agg(pg_get_expr(p.polqual, p.polrelid)) from pg_policy p where p.polrelid = c.oid),
      'triggers', (select jsonb_agg(jsonb_build_array(t.tgname, t.tgenabled) order by t.tgname) from pg_trigger t
        where t.tgrelid = c.oid and not t.tgisinternal),
      'constraints', (select jsonb_agg(pg_get_constraintdef(k.oid) order by k.conname) from pg_constraint k where k.conrelid = c.oid),
      'indexes', (select jsonb_agg(pg_get_indexdef(i.indexrelid) order by i.indexrelid::regclass::text) from pg_index i where i.indrelid = c.oid)
      )::text, $1, '<schema>') as shape
     from pg_class c where c.relnamespace = $1::regnamespace and c.relkind = 'r' order by c.relname`,
    [schema],
  );

describe('a placement is provisioned', () => {
  it('in one call, with all migrations, protected as the pool is', async () => {
    const calls = world.calls.length;
    expect(await provisionSchema(world.execute, 'tenant_acme')).toEqual(world.tenant.map(({ version }) => version));
    expect(world.calls.length - calls).toBe(1);
    expect(await shapeOf('tenant_acme')).toEqual(await shapeOf('pool'));
    expect(await world.query('select * from tenancy.audit()')).toEqual([]);
  });

  it('once, however often and by however many', async () => {
    for (const schema of [...names(20, 'tenant_raced'), 'tenant_twice']) {
      const made = await Promise.all(Array.from({ length: 5 }, () => provisionSchema(world.execute, schema)));
      expect(made.flat()).toEqual(world.tenant.map(({ version }) => version));
    }
    expect(await provisionSchema(world.execute, 'tenant_twice')).toEqual([]);
  });

  it('or not at all, when a migration fails', async () => {
    await publishMigrations(world.execute, [...world.tenant, migration('900', 'create table half (); select 1 / 0')]);
    await expect(provisionSchema(world.execute, 'tenant_half')).rejects.toThrow(
      'Migration 900 of tenant_half failed: division by zero',
    );
    expect(await world.query(`select from pg_namespace where nspname = 'tenant_half'`)).toEqual([]);
    expect(await world.query(`select from tenancy.migrations where target = 'tenant_half'`)).toEqual([]);
    await publishMigrations(world.execute, world.tenant);
    expect(await provisionSchema(world.execute, 'tenant_half')).toHaveLength(world.tenant.length);
  });

  it('never in a schema that is there for something else', async () => {
    await world.postgres.owner.query('create schema somebody_s');
    for (const schema of ['somebody_s', 'tenancy', 'registry', 'kernel', 'control', 'pg_catalog', 'public']) {
      await expect(provisionSchema(world.execute, schema)).rejects.toThrow('SQLState: 42P06');
    }
    await expect(provisionSchema(world.execute, 'x'.repeat(64))).rejects.toThrow('SQLState: 42602');
  });

  it('under any name that Postgres takes', async () => {
    const schema = `it's "a" \\ $1 :name ; --`;
    expect(await provisionSchema(world.execute, schema)).toHaveLength(world.tenant.length);
    await dropPlacement(world.execute, schema);
    expect(await world.query('select from pg_namespace where nspname = $1', [schema])).toEqual([]);
  });

  it('with indexes that others get while they are used, and without backfills, since it has no rows', async () => {
    const index = migration(
      '901',
      '-- Built concurrently.\ncreate index concurrently if not exists late on tasks (tenant_id, title)',
      'alone',
    );
    const backfill = migration('902', 'update tasks set title = title', 'each-tenant');
    await world.provision(['tenant_index'], index, backfill);
    expect(await world.ledger('901', '902')).toEqual(['tenant_index 901 done', 'tenant_index 902 done']);
    expect(
      await world.query(`select indisvalid from pg_index where indexrelid = 'tenant_index.late'::regclass`),
    ).toEqual([{ indisvalid: true }]);
    expect(await world.query('select * from tenancy.audit()')).toEqual([]);
  });
});

describe('the fleet', () => {
  it('is for the owner of the kernel alone', async () => {
    for (const role of ['app', 'authorizer', 'control'] as const) {
      const client = await world.postgres.connectAs(role);
      for (const statement of [
        `select tenancy.provision('mine')`,
        `select tenancy.drop_some('pool', 1, 1)`,
        `select tenancy.publish('[]')`,
        `select tenancy.migrate_some('r', null, 1, 1, 1)`,
        `select tenancy.backfill_some('r', null, 1)`,
        `select tenancy.mint('acme')`,
        'select * from tenancy.migration_files',
        'select * from tenancy.backfills',
        'select * from tenancy.fleet_placements',
      ]) {
        await expect(client.query(statement), `${role}: ${statement}`).rejects.toMatchObject({ code: '42501' });
      }
    }
  });
});

describe('a placement is dropped', () => {
  const many = migration(
    '910',
    `do $$ begin for n in 1 .. 60 loop
       execute format('create table many_%s (tenant_id text not null, id uuid not null, parent uuid, primary key (tenant_id, id))', n);
       if n > 1 then
         execute format('alter table many_%s add foreign key (tenant_id, parent) references many_%s', n, n - 1);
       end if;
     end loop; end $$`,
  );

  it('a few tables a call, and goes on where it was stopped', async () => {
    await world.provision(['tenant_gone'], many);
    const tables = async () => (await world.query(`select from pg_tables where schemaname = 'tenant_gone'`)).length;
    const before = await tables();
    const calls = world.calls.length;
    const left = [before];
    const stop = new Error('stopped');
    const stopping = async (sql: string, parameters?: Readonly<Record<string, string>>) => {
      if (world.calls.length - calls === 2) throw stop;
      const rows = await world.execute(sql, parameters);
      left.push(await tables());
      return rows;
    };
    await expect(dropPlacement(stopping, 'tenant_gone')).rejects.toBe(stop);
    expect(left).toEqual([before, before - 10, before - 20]);
    await expect(provisionSchema(world.execute, 'tenant_gone')).rejects.toThrow('is being dropped');
    await dropPlacement(world.execute, 'tenant_gone');
    expect(world.calls.length - calls).toBeLessThanOrEqual(2 + 1 + Math.ceil(before / 10));
    expect(await world.query(`select from pg_namespace where nspname = 'tenant_gone'`)).toEqual([]);
    expect(await world.query(`select from tenancy.migrations where target = 'tenant_gone'`)).toEqual([]);
    await dropPlacement(world.execute, 'tenant_gone');
  });

  it('never while a tenant is at home in it, nor when it is no placement', async () => {
    await world.provision(names(1));
    await world.query(`select tenancy.set_placement('initech', 't_0001', 'suspended')`);
    await expect(dropPlacement(world.execute, 't_0001')).rejects.toThrow('Tenants are at home in the schema t_0001');
    await world.query(`select tenancy.set_placement('initech', 't_0001', 'moved')`);
    await dropPlacement(world.execute, 't_0001');
    await expect(dropPlacement(world.execute, 'tenancy')).rejects.toThrow('SQLState: 42P06');
    await expect(dropPlacement(world.execute, 'kernel')).rejects.toThrow('SQLState: 42P06');
  });
});
