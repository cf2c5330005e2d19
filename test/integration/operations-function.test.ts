import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { tenantHomeName } from '../../shared/contract/index.ts';
import { createOperation, readOperation } from '../../shared/control/operations.ts';
import type { KnownKind, Operation } from '../../shared/control/operations-schema.ts';
import { AppError } from '../../shared/errors/index.ts';
import { uuidv7 } from '../../shared/http/index.ts';
import { disturb } from '../helpers/operations/interruptions.ts';
import { type OperationWorld, startOperationWorld, type TestSubject } from '../helpers/operations/operation-world.ts';

// Failures are what is tested here; their log lines are of no use.
vi.hoisted(() => {
  process.env['POWERTOOLS_LOG_LEVEL'] = 'SILENT';
});

let world: OperationWorld;
beforeAll(async () => {
  world = await startOperationWorld();
});
afterAll(() => world[Symbol.asyncDispose]());

async function perform(kind: KnownKind, { tenantId, ports }: TestSubject, more?: object): Promise<void> {
  await expect(world.run(await world.ask(kind, tenantId, more), ports)).resolves.toBe('SUCCEEDED');
}

/** What a request of the tenant reads, with a capability that was good before. */
const read = (tenantId: string): Promise<unknown> =>
  world.database.as(tenantId, () => world.database.db.selectFrom('projects').select('id').execute());

/** The gateway of a subject, which refuses the first so many calls. */
function refusing(subject: TestSubject, times: number, error: Error): TestSubject {
  let left = times;
  const flushAuthorizersCache = async (): Promise<void> => {
    left -= 1;
    if (left >= 0) throw error;
    await subject.ports.gateway.flushAuthorizersCache();
  };
  return { ...subject, ports: { ...subject.ports, gateway: { flushAuthorizersCache } } };
}

const unavailable = new Error('Too many requests to 10.0.0.1');

describe('onboarding', () => {
  it('makes a tenant that is answered, known to the registry by its key, and in the usage plan of its plan', async () => {
    const subject = await world.prepare('onboard');
    await expect(read(subject.tenantId)).rejects.toMatchObject({ code: 'tenant-unknown' });
    await perform('onboard', subject);

    await expect(read(subject.tenantId)).resolves.toEqual([]);
    const [key] = world.keys.of(subject.tenantId);
    expect(key).toMatchObject({ plans: ['pro'] });
    const { rows } = await world.database.postgres.superuser.query(
      'select state, plan, api_key, api_key_id from registry.tenants where tenant_id = $1',
      [subject.tenantId],
    );
    expect(rows).toEqual([{ state: 'active', plan: 'pro', api_key: key?.value, api_key_id: key?.id }]);
    await expect(world.ask('onboard', subject.tenantId)).rejects.toMatchObject({ code: 'tenant-exists' });
  });
});

describe('onboarding into a schema of its own', () => {
  it('names a schema that is in the way, leaves it as it is, and leaves nothing else', async () => {
    const subject = await world.prepare('onboard a bridge');
    const { superuser, name } = world.database.postgres;
    const schema = tenantHomeName(subject.tenantId);
    await superuser.query(`create schema ${schema}`);
    const operationId = await world.ask('onboard a bridge', subject.tenantId);
    await world.run(operationId, subject.ports);
    await expect(readOperation(operationId)).resolves.toMatchObject({
      state: 'failed',
      error: {
        code: 'conflict',
        message: `The step make-home failed: The database ${name} on the cluster main has a schema ${schema} that is no tenant's. Rename or drop it, or choose another id.`,
      },
    });
    const { rows } = await superuser.query(
      'select to_regnamespace($1) as schema, (select count(*)::int from registry.tenants where tenant_id = $2) as tenants',
      [schema, subject.tenantId],
    );
    expect(rows).toEqual([{ schema, tenants: 0 }]);
  });
});

describe('suspension', () => {
  it('is effective at the very next statement, and activation lets it pass again', async () => {
    const subject = await world.prepare('suspend');
    await expect(read(subject.tenantId)).resolves.toHaveLength(3);
    const { ports } = disturb(subject.ports);
    await perform('suspend', {
      ...subject,
      ports: {
        ...ports,
        registry: {
          ...ports.registry,
          // Before registry and gateway know of it.
          setState: async (turn, state) => {
            await expect(read(turn.tenantId)).rejects.toMatchObject({ code: 'tenant-suspended', sqlState: 'TN005' });
            await ports.registry.setState(turn, state);
          },
        },
      },
    });
    expect(subject.isRemembered()).toBe(false);
    await expect(read(subject.tenantId)).rejects.toMatchObject({ code: 'tenant-suspended' });
    await perform('activate', subject);
    await expect(read(subject.tenantId)).resolves.toHaveLength(3);
  });

  it('that fails leaves a tenant suspended that was suspended before', async () => {
    const subject = await world.prepare('activate');
    const { ports } = disturb(subject.ports, { failingStep: 'set-state' });
    await world.run(await world.ask('suspend', subject.tenantId), ports);
    await expect(read(subject.tenantId)).rejects.toMatchObject({ code: 'tenant-suspended' });
  });
});

describe('offboarding', () => {
  const offboard = async (subject: TestSubject): Promise<Operation | undefined> => {
    const operationId = await world.ask('offboard', subject.tenantId);
    await world.run(operationId, subject.ports);
    return readOperation(operationId);
  };

  it('serves nobody any more while rows are still there, and exports them as they were then', async () => {
    const subject = await world.prepare('offboard');
    const { ports } = disturb(subject.ports);
    await offboard({
      ...subject,
      ports: {
        ...ports,
        exports: {
          ...ports.exports,
          write: async (key, content) => {
            await expect(read(subject.tenantId)).rejects.toMatchObject({ code: 'tenant-suspended' });
            expect(subject.isRemembered()).toBe(false);
            return ports.exports.write(key, content);
          },
        },
      },
    });
    const [exported] = Object.values(world.exports.of(subject.tenantId));
    expect(exported?.manifest).toMatchObject({
      tenantId: subject.tenantId,
      consistency: 'suspended',
      rows: 8,
      migrations: ['001_projects', '002_tasks', '003_idempotency_keys'],
    });
    await expect(read(subject.tenantId)).rejects.toMatchObject({ code: 'tenant-unknown' });
  });

  it('says what is left of a tenant and how to go on, keeps it closed, and goes on when that is mended', async () => {
    const subject = await world.prepare('offboard');
    const { tenantId } = subject;
    const secret = `arn:aws:secretsmanager:eu-central-1:000000000000:secret:tenantry/dev/tenants/${tenantId}/login-AbCdEf`;
    const tagged = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:elsewhere-AbCdEf';
    await world.secrets.store.put(secret, 'x');
    await world.secrets.store.put(tagged, 'x', { 'tenantry:tenant': tenantId, 'tenantry:stage': 'dev' });
    await world.secrets.store.put(`${tagged}2`, 'x', { 'tenantry:tenant': tenantId, 'tenantry:stage': 'prod' });
    await expect(offboard(subject)).resolves.toMatchObject({
      state: 'failed',
      error: {
        code: 'erasure-incomplete',
        message: expect.stringContaining(`the secret elsewhere, the secret tenantry/dev/tenants/${tenantId}/login.`),
        remedy: expect.stringContaining('the tenant stays closed'),
      },
    });
    await expect(world.ask('activate', tenantId)).rejects.toMatchObject({ code: 'constraint-violated' });
    await expect(world.ask('export', tenantId)).rejects.toMatchObject({ code: 'constraint-violated' });
    await world.secrets.store.delete(secret);
    await world.secrets.store.delete(tagged);

    const { superuser } = world.database.postgres;
    await superuser.query('create table registry.notes (tenant_id text)');
    await superuser.query('alter table registry.notes owner to tenantry_owner');
    await superuser.query('insert into registry.notes values ($1), ($1)', [tenantId]);
    await expect(offboard(subject)).resolves.toMatchObject({
      state: 'failed',
      error: { message: expect.stringContaining('2 rows of registry.notes') },
    });
    await superuser.query('drop table registry.notes');

    const done = await offboard(subject);
    expect(done).toMatchObject({
      state: 'succeeded',
      result: {
        proof: { apiKeys: 0, secrets: 0, cacheKeys: 0, rows: { 'pool.projects': 0, 'registry.tenants': 0 } },
      },
    });
    const { rows } = await superuser.query(
      `select operation_id, actor, detail from registry.audit_log where tenant_id = $1 and action = 'offboard.proven'`,
      [tenantId],
    );
    expect(rows).toEqual([{ operation_id: done?.id, actor: 'olga', detail: done?.result?.['proof'] }]);
  });

  it('names what Postgres calls the error with which a home could not be dropped', async () => {
    const subject = await world.prepare('offboard a bridge');
    const { superuser } = world.database.postgres;
    await superuser.query(`create function public.refuse() returns event_trigger language plpgsql
      as $$ begin raise exception 'No.' using errcode = '2BP01'; end $$`);
    await superuser.query(
      `create event trigger refuse on sql_drop when tag in ('DROP TABLE') execute function public.refuse()`,
    );
    await expect(offboard(subject)).resolves.toMatchObject({
      state: 'failed',
      error: { message: expect.stringMatching(/^The step drop-home failed: .*\(SQLSTATE 2BP01\)$/) },
    });
    await superuser.query('drop event trigger refuse');
    await superuser.query('drop function public.refuse');
    await expect(offboard(subject)).resolves.toMatchObject({ state: 'succeeded' });
  });

  it('lets the tenant come again under its id, empty', async () => {
    const subject = await world.prepare('offboard');
    await offboard(subject);
    await perform('onboard', subject, { reuseId: true });
    await expect(read(subject.tenantId)).resolves.toEqual([]);
  });
});

describe('a step', () => {
  it('that fails in passing is tried again, and those before it are not', async () => {
    const subject = refusing(await world.prepare('suspend'), 2, unavailable);
    const operationId = await world.ask('suspend', subject.tenantId);
    const { ports, calls } = disturb(subject.ports);
    await expect(world.run(operationId, ports, 3)).resolves.toBe('SUCCEEDED');
    const untilEnd = calls.slice(0, calls.indexOf('registry.end'));
    expect(untilEnd.filter((call) => call === 'gateway.flushAuthorizersCache')).toHaveLength(3);
    expect(calls.filter((call) => call === 'registry.setState')).toHaveLength(1);
    await expect(readOperation(operationId)).resolves.toMatchObject({ state: 'succeeded', percent: 100, error: null });
  });

  it('that fails for good ends its operation with a code, and a remedy that names the log, but not what a service said', async () => {
    const subject = refusing(await world.prepare('change-plan'), 1, unavailable);
    const operationId = await world.ask('change-plan', subject.tenantId);
    await expect(world.run(operationId, subject.ports)).resolves.toBe('SUCCEEDED');
    const operation = await readOperation(operationId);
    expect(operation).toMatchObject({
      state: 'failed',
      error: { code: 'internal', remedy: expect.stringContaining(operationId) },
    });
    expect(JSON.stringify(operation)).not.toContain('10.0.0.1');
    expect(world.keys.of(subject.tenantId)).toMatchObject([{ plans: ['free'] }]);
  });

  it('that is refused is not tried again', async () => {
    const subject = refusing(await world.prepare('suspend'), 9, new AppError('conflict', 'No.'));
    const operationId = await world.ask('suspend', subject.tenantId);
    const { ports, calls } = disturb(subject.ports);
    await world.run(operationId, ports, 5);
    const before = calls.slice(0, calls.indexOf('registry.abandon'));
    expect(before.filter((call) => call === 'gateway.flushAuthorizersCache')).toHaveLength(1);
  });
});

describe('an operation', () => {
  it('whose undoing fails is unfinished, keeps its reason, and is undone when it is run again', async () => {
    const subject = await world.prepare('suspend');
    // The step fails, and then the undoing of the one before it.
    const failing = refusing(subject, 2, unavailable);
    const operationId = await world.ask('suspend', subject.tenantId);
    await expect(world.run(operationId, failing.ports)).resolves.toBe('FAILED');
    const unfinished = await readOperation(operationId);
    expect(unfinished).toMatchObject({ state: 'running', error: { code: 'internal' } });
    await expect(world.ask('activate', subject.tenantId)).rejects.toMatchObject({ code: 'operation-in-progress' });

    await world.run(operationId, subject.ports);
    await expect(readOperation(operationId)).resolves.toMatchObject({ state: 'failed', error: unfinished?.error });
    await expect(read(subject.tenantId)).resolves.toHaveLength(3);
  });

  it('that has ended is not run again', async () => {
    const subject = await world.prepare('suspend');
    const operationId = await world.ask('suspend', subject.tenantId);
    await world.run(operationId, subject.ports);
    const ended = await readOperation(operationId);
    const { ports, calls } = disturb(subject.ports);
    await expect(world.run(operationId, ports)).resolves.toBe('SUCCEEDED');
    // Whoever has ended it may have died before the second of these.
    expect(calls).toEqual(['registry.read', 'registry.start', 'gateway.flushAuthorizersCache']);
    await expect(readOperation(operationId)).resolves.toEqual(ended);
  });

  it('that nobody asked for is an error', async () => {
    const { ports } = await world.prepare('onboard');
    await expect(world.run(uuidv7(), ports)).resolves.toBe('FAILED');
  });

  it('leaves nothing for the audit to find', async () => {
    const { rows } = await world.database.postgres.owner.query('select * from tenancy.audit()');
    expect(rows).toEqual([]);
  });
});

describe('authorizers', () => {
  const kinds = ['suspend', 'activate', 'change-plan', 'change-limits', 'onboard', 'offboard'] as const;

  it.each(kinds)('that answer late what was true before a %s are asked again', async (kind) => {
    const { ports, tenantId } = await world.prepare(kind);
    // One that has read the registry before answers right after the first flush: API Gateway keeps that, until the next flush.
    let flushes = 0;
    const gateway = {
      flushAuthorizersCache: async () => {
        flushes += 1;
      },
    };
    const operationId = await world.ask(kind, tenantId);
    const { ports: watched, calls } = disturb({ ...ports, gateway });
    await world.run(operationId, watched);
    await expect(readOperation(operationId)).resolves.toMatchObject({ state: 'succeeded' });
    expect(flushes).toBe(2);
    // Whoever waits for the end of the operation does not wait for them.
    expect(calls.slice(calls.indexOf('registry.end') + 1)).toEqual(['gateway.flushAuthorizersCache']);
  });

  it.each(['suspend', 'change-plan', 'change-limits'] as const)(
    'are asked again once all of a %s is undone that they answer',
    async (kind) => {
      const { ports, tenantId } = await world.prepare(kind);
      const { ports: failing, calls } = disturb(ports, { failingStep: 'flush-authorizers' });
      await world.run(await world.ask(kind, tenantId), failing);
      const before = calls.slice(0, calls.indexOf('registry.end'));
      const changed = before.findLastIndex((call) => call.startsWith('registry.set'));
      expect(changed).toBeGreaterThan(before.indexOf('registry.abandon'));
      expect(before.slice(changed)).toContain('gateway.flushAuthorizersCache');
    },
  );
});

describe('limits of a tenant', () => {
  const limitsOf = async ({ tenantId }: TestSubject): Promise<unknown> => {
    const { rows } = await world.database.postgres.superuser.query<{ limits: unknown }>(
      'select limits from registry.tenants where tenant_id = $1',
      [tenantId],
    );
    return rows[0]?.limits;
  };

  it('are all that was asked for, or those of the plan again, and known at once', async () => {
    const subject = await world.prepare('change-limits');
    await perform('change-limits', subject, { requestsPerMinute: 30, concurrentRequests: 2 });
    expect(await limitsOf(subject)).toEqual({ requestsPerMinute: 30, burst: 5, concurrentRequests: 2 });
    expect(subject.isRemembered()).toBe(false);
    const { id: operationId } = await createOperation({
      ...{ kind: 'change-limits', tenantId: subject.tenantId, input: {}, actor: 'olga' },
    });
    await world.run(operationId, subject.ports);
    expect(await limitsOf(subject)).toBeNull();
  });

  it('stay when the plan changes, also to one that grants less', async () => {
    const subject = await world.prepare('change-limits');
    await perform('change-plan', subject, { plan: 'enterprise' });
    await perform('change-limits', subject, { burst: 100 });
    await perform('change-plan', subject, { plan: 'free' });
    expect(await limitsOf(subject)).toEqual({ requestsPerMinute: 30, burst: 100 });
  });

  it('are as before when the operation fails', async () => {
    const prepared = await world.prepare('change-limits');
    await perform('change-limits', prepared);
    const subject = refusing(prepared, 1, unavailable);
    await world.run(await world.ask('change-limits', subject.tenantId, { burst: 7 }), subject.ports);
    expect(await limitsOf(subject)).toEqual({ requestsPerMinute: 30, burst: 5 });
  });
});
