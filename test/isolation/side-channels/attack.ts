import { capabilityFor } from '../../helpers/capability.ts';
import { explainAs } from '../../helpers/explain.ts';
import { runAs } from '../../helpers/run-as.ts';
import { startTenantDatabase, type TestTenantDatabase } from '../../helpers/tenant-database.ts';

/** How many rows the victim has, and the attacker. */
export const victims = 50;
export const own = 3;
/** The nth secret of the victim. */
export const secret = (n: number): string => `secret-of-victim-${n}`;

/**
 * A hole in the request of `mallory`, through which SQL gets into `tenancy.run`, beside a victim in the same pool. What is tried here is
 * in no catalog.
 */
export class Attack implements AsyncDisposable {
  readonly api: TestTenantDatabase;

  private constructor(api: TestTenantDatabase) {
    this.api = api;
  }

  static async prepare(): Promise<Attack> {
    const attack = new Attack(await startTenantDatabase(['mallory', 'victim']));
    const { app, superuser } = attack.api.postgres;
    const insert = 'insert into projects (name, description) values (%1$L, %1$L) returning id';
    for (let n = 1; n <= victims; n += 1) await runAs(app, 'victim', insert, [secret(n)]);
    for (let n = 1; n <= own; n += 1) await runAs(app, 'mallory', insert, [`mine-${n}`]);
    await superuser.query('analyze pool.projects');
    return attack;
  }

  /** What injected SQL gets. */
  async get(statement: string): Promise<Record<string, unknown>[]> {
    return runAs(this.api.postgres.app, 'mallory', statement.replaceAll('%', '%%'));
  }

  /** The same in one text, also when it is an error. */
  async tell(statement: string): Promise<string> {
    return this.get(statement).then(
      (rows) => JSON.stringify(rows),
      ({ code, message, detail }: Error & { code?: string; detail?: string }) => [code, message, detail].join(' '),
    );
  }

  /** A statement inside of one that has changed settings before it: a statement is planned before it can change any for itself. */
  async getWith(settings: readonly string[], statement: string, capability?: string): Promise<string> {
    return this.tell(nested(settings, statement, capability));
  }

  /** The plan of a statement with what it met, without its literals, as whoever has the login of the application can get it. */
  async planOf(statement: string, settings: readonly string[] = []): Promise<string> {
    const options = 'analyze, costs off, timing off, summary off';
    const plan = await explainAs(this.api.postgres.app, 'mallory', options, statement, off(settings));
    return plan.join('\n').replaceAll(/'[^']*'/g, "'…'");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api[Symbol.asyncDispose]();
  }
}

export const off = (settings: readonly string[]) => Object.fromEntries(settings.map((name) => [name, 'off']));

export const nested = (
  settings: readonly string[],
  statement: string,
  capability = capabilityFor('mallory'),
): string => `with settings as materialized (select ${settings.map((name) => `set_config('${name}', 'off', true)`).join(', ')})
  select answer from settings, lateral tenancy.run('${capability}', 'pool', $inner$${statement}$inner$, read_only => false) answer`;

export const throughIndexes = ['enable_seqscan'];
export const throughTheTable = ['enable_indexscan', 'enable_bitmapscan', 'enable_indexonlyscan'];
