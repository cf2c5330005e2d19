import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { metricNames } from '../../shared/contract/index.ts';
import { listAuditEntries } from '../../shared/control/index.ts';
import { type ImpersonationWorld, startImpersonationWorld } from '../helpers/impersonation.ts';
import { captureJsonLines } from '../helpers/stdout.ts';

let world: ImpersonationWorld;
let lines: Record<string, unknown>[];
beforeAll(async () => {
  world = await startImpersonationWorld(['acme', 'globex', 'umbrella', 'hooli']);
});
afterAll(() => world[Symbol.asyncDispose]());
beforeEach(() => {
  lines = captureJsonLines();
});

const change = (sql: string): Promise<unknown> => world.authorizer.tenants.postgres.superuser.query(sql);

describe('an operator who acts for a tenant', () => {
  it('is answered as the tenant, and each use is in the audit log before it is made, with the operator as actor', async () => {
    const { id, token } = await world.begin('acme');
    const context = await world.contextOf(token);
    const made = await world.call(context, 'POST /projects', { body: { name: 'Apollo' } });
    expect(made.status, made.text).toBe(201);
    const listed = await world.call(context, 'GET /projects');
    expect(listed.json['items']).toMatchObject([{ name: 'Apollo' }]);
    const refused = await world.call(context, 'POST /projects', { body: { name: 'Apollo' } });
    expect(refused.status).toBe(409);
    expect(await world.usesOf('acme', id)).toEqual([
      'olga: POST /projects',
      'olga: GET /projects',
      'olga: POST /projects',
    ]);
    expect(await world.usesOf('globex', id)).toEqual([]);
  });

  it('is named in the line of each request, and the token in none', async () => {
    const { id, token } = await world.begin('acme');
    const context = await world.contextOf(token);
    await world.call(context, 'GET /projects');
    await world.authorizer.authorize(`Bearer ${token}x`).catch(() => undefined);
    const counted = lines.filter((line) => line[metricNames.requests] === 1);
    expect(counted).toMatchObject([{ tenantId: 'acme', userId: 'operator:olga', actor: 'olga', impersonationId: id }]);
    expect(JSON.stringify(lines)).not.toContain(token.slice(0, 20));
  });

  it('reads none of what other tenants have', async () => {
    const globex = await world.contextOf((await world.begin('globex')).token);
    await world.call(globex, 'POST /projects', { body: { name: 'Gemini' } });
    const acme = await world.contextOf((await world.begin('acme')).token);
    expect((await world.call(acme, 'GET /projects')).text).not.toContain('Gemini');
  });

  it('costs one call more a request, and a user of the tenant none', async () => {
    const operator = await world.contextOf((await world.begin('hooli')).token);
    const user = await world.contextOf(await world.authorizer.issuer.sign({ tenant_id: 'hooli' }));
    // Of two pages, as each is cached for the tenant's users and operators alike.
    const [one, other] = [{ query: { limit: '1' } }, { query: { limit: '2' } }];
    expect(await world.callsDuring(() => world.call(user, 'GET /projects', one))).toEqual(['ExecuteStatement']);
    expect(await world.callsDuring(() => world.call(operator, 'GET /projects', other))).toEqual([
      'ExecuteStatement',
      'ExecuteStatement',
    ]);
  });

  it('costs the authorizer one call, as a user does', async () => {
    const { token } = await world.begin('hooli');
    expect(await world.callsDuring(() => world.contextOf(token))).toEqual(['ExecuteStatement']);
  });
});

describe('an impersonation', () => {
  it('is in the audit log from its begin to its end, once each, with the reason', async () => {
    const { id } = await world.begin('hooli');
    expect(await world.end('hooli', id)).toBe(true);
    expect(await world.end('hooli', id)).toBe(true);
    const all = await listAuditEntries('hooli', { limit: 20 });
    const entries = all.filter(({ detail }) => detail['impersonationId'] === id);
    expect(entries).toHaveLength(2);
    expect(entries).toMatchObject([
      { action: 'impersonation.ended', actor: 'olga', before: { id, endedAt: null }, after: { id } },
      { action: 'impersonation.begun', actor: 'olga', detail: { reason: 'Ticket 42' }, before: null, after: { id } },
    ]);
    expect(entries[0]?.after?.['endedAt']).toEqual(expect.any(String));
  });

  it('that is ended is over at the next request, whatever API Gateway replays of its authorizer', async () => {
    const { id, token } = await world.begin('acme');
    const replayed = await world.contextOf(token);
    await world.end('acme', id);
    expect(await world.call(replayed, 'GET /projects')).toMatchObject({ status: 401, json: { code: 'token-expired' } });
    await expect(world.contextOf(token)).rejects.toThrow(/^Unauthorized$/);
    expect(await world.usesOf('acme', id)).toEqual([]);
  });

  it('that has expired is over as well', async () => {
    const { id, token } = await world.begin('acme');
    const replayed = await world.contextOf(token);
    await change(
      `update registry.impersonations set created_at = now() - interval '1 hour', expires_at = now() where id = '${id}'`,
    );
    expect(await world.call(replayed, 'GET /projects')).toMatchObject({ status: 401, json: { code: 'token-expired' } });
    await expect(world.contextOf(token)).rejects.toThrow(/^Unauthorized$/);
  });

  it('is refused like a user when its tenant is suspended, and cannot begin then', async () => {
    const { token } = await world.begin('umbrella');
    await change(`update registry.tenants set state = 'suspended' where tenant_id = 'umbrella'`);
    await expect(world.contextOf(token)).rejects.toThrow('tenant-suspended');
    await expect(world.begin('umbrella')).rejects.toMatchObject({ code: 'constraint-violated' });
    await expect(world.begin('nobody')).rejects.toMatchObject({ code: 'not-found' });
  });

  it('cannot be ended in the name of another tenant', async () => {
    const { id, token } = await world.begin('acme');
    expect(await world.end('globex', id)).toBe(false);
    await expect(world.contextOf(token)).resolves.toMatchObject({ tenantId: 'acme' });
  });

  it('of another one’s id lets nobody in: neither as a user’s request, nor in another tenant', async () => {
    const { id } = await world.begin('globex');
    const user = await world.contextOf(await world.authorizer.issuer.sign({ tenant_id: 'acme' }));
    const pretended = { ...user, actor: 'olga', impersonationId: id };
    expect(await world.call(pretended, 'GET /projects')).toMatchObject({ status: 401 });
    expect(await world.usesOf('globex', id)).toEqual([]);
  });
});

describe('when a use cannot be recorded', () => {
  it('the request is not answered, and nothing is done', async () => {
    const { token } = await world.begin('acme');
    const context = await world.contextOf(token);
    await change('alter table registry.audit_log rename to elsewhere');
    const answer = await world.call(context, 'POST /projects', { body: { name: 'Unseen' } });
    await change('alter table registry.elsewhere rename to audit_log');
    expect(answer.status).toBe(500);
    expect((await world.call(context, 'GET /projects')).text).not.toContain('Unseen');
  });

  it.each<Record<string, string>>([{ actor: 'olga' }, { impersonationId: '0199f0f0-0000-7000-8000-000000000000' }])(
    'as the authorizer’s context says half of it, it is not answered either: %j',
    async (half) => {
      const user = await world.contextOf(await world.authorizer.issuer.sign({ tenant_id: 'acme' }));
      expect(await world.call({ ...user, ...half }, 'GET /projects')).toMatchObject({ status: 500 });
    },
  );
});
