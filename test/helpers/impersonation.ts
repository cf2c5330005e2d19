import { environmentKeys } from '../../shared/contract/index.ts';
import { beginImpersonation, endImpersonation, listAuditEntries } from '../../shared/control/index.ts';
import type { EventOptions } from './api-gateway.ts';
import { startAuthorizer, type TestAuthorizer } from './authorizer.ts';
import { startFunctions, type TestFunctions } from './functions.ts';
import { configFor } from './tenant-database.ts';

type Answer = Awaited<ReturnType<TestFunctions['call']>>;

/** Registry, authorizer and functions of tenants over one database, each with its own login. */
export interface ImpersonationWorld extends AsyncDisposable {
  readonly authorizer: TestAuthorizer;
  /** Lets olga act for a tenant. */
  begin(tenantId: string, minutes?: number): Promise<{ readonly id: string; readonly token: string }>;
  end(tenantId: string, id: string): Promise<boolean>;
  /** What the authorizer tells functions of a token, which API Gateway may replay. @throws Error when it lets nobody in */
  contextOf(token: string): Promise<Record<string, string>>;
  /** Calls a route of tenants with what the authorizer said. */
  call(context: Record<string, string>, route: string, request?: Omit<EventOptions, 'route'>): Promise<Answer>;
  /** Methods and routes of the uses of an impersonation that the audit log has, with their actors. */
  usesOf(tenantId: string, id: string): Promise<readonly string[]>;
  /** Calls of the RDS Data API during `work`. */
  callsDuring(work: () => Promise<unknown>): Promise<readonly string[]>;
}

/** One a test file: each room reads its configuration once. */
export async function startImpersonationWorld(tenantIds: readonly string[]): Promise<ImpersonationWorld> {
  const authorizer = await startAuthorizer(tenantIds);
  const { tenants: database } = authorizer;
  // What has asked once stays with the login that it had then.
  await authorizer.authorize(`Bearer ${await authorizer.issuer.sign({ tenant_id: 'nobody' })}`);
  const { clusters } = configFor('control', database.postgres.name);
  process.env[environmentKeys.clusters] = JSON.stringify(clusters);
  await listAuditEntries(undefined, { limit: 1 });
  const functions = await startFunctions([], database);
  return {
    authorizer,
    begin: (tenantId, minutes = 15) => beginImpersonation({ tenantId, actor: 'olga', reason: 'Ticket 42', minutes }),
    end: (tenantId, id) => endImpersonation(tenantId, id, 'olga'),
    contextOf: async (token) => {
      const { context, policyDocument } = await authorizer.authorize(`Bearer ${token}`);
      if (policyDocument.Statement[0]?.Effect !== 'Allow') throw new Error(String(context?.['errorCode']));
      return context as Record<string, string>;
    },
    call: (context, route, request = {}) =>
      functions.call(String(context['tenantId']), route, { ...request, authorizer: context }),
    usesOf: async (tenantId, id) => {
      const entries = await listAuditEntries(tenantId, { limit: 100 });
      const uses = entries.filter(
        ({ action, detail }) => action === 'impersonation.used' && detail['impersonationId'] === id,
      );
      return uses
        .map(({ actor, detail }) => `${actor}: ${String(detail['method'])} ${String(detail['route'])}`)
        .reverse();
    },
    callsDuring: async (work) => {
      const before = database.calls.length;
      await work();
      return database.calls.slice(before).map(({ operation }) => operation);
    },
    [Symbol.asyncDispose]: async () => {
      await functions[Symbol.asyncDispose]();
      await authorizer[Symbol.asyncDispose]();
    },
  };
}
