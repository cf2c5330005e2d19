import { loadConfig } from '../config/index.ts';
import { AppError } from '../errors/index.ts';
import { currentTenant, type TenantContext } from '../tenancy/index.ts';
import { DataApi } from './data-api.ts';
import { DatabaseError } from './database-error.ts';
import { atHome } from './moves.ts';
import { observed } from './observed.ts';
import { type Home, Router } from './router.ts';
import { decodeJson, type Row } from './rows.ts';

export interface ReadLimits {
  /** Rows beyond are left out. */
  readonly rows: number;
  /** After which the database gives the statement up. */
  readonly timeoutMs: number;
}

export interface TextRows {
  /** Numbers that a JavaScript number cannot hold exactly are texts. */
  readonly rows: readonly Row[];
  /** Whether there are more. */
  readonly truncated: boolean;
}

const setTimeout = `select set_config('statement_timeout', :timeout_ms, true)`;
const run = `select * from tenancy.run(:capability, :schema, :statement, '[]', true) limit cast(:rows as integer)`;

/** SQLSTATEs, or classes of them, that are the fault of whoever wrote the statement. */
const faultsOfTheStatement = /^(0A|21|22|25|2F|38|39|3F|42|54|57014|P0|TN010)/;

type Read = (home: Home, context: TenantContext, sql: string, limits: ReadLimits) => Promise<TextRows>;

function readWith(dataApi: DataApi): Read {
  return async (home, { capability }, sql, limits) => {
    const transactionId = await dataApi.begin(home);
    try {
      const options = { transactionId, twice: 'forbidden' } as const;
      await dataApi.execute(home, setTimeout, { timeout_ms: `${limits.timeoutMs}` }, options);
      // There are no placeholders in it.
      const statement = sql.replaceAll('%', '%%');
      const parameters = { capability, schema: home.schema, statement, rows: `${limits.rows + 1}` };
      const rows = await dataApi.execute(home, run, parameters, options);
      return { rows: rows.slice(0, limits.rows).map(([row]) => decodeRow(row)), truncated: rows.length > limits.rows };
    } finally {
      await dataApi.rollback(home, transactionId).catch(() => undefined);
    }
  };
}

let reader: { readonly router: Router; readonly read: Read } | undefined;

function readerOfTheEnvironment(): { readonly router: Router; readonly read: Read } {
  const dataApi = new DataApi();
  return { router: new Router(loadConfig('clusters', 'registry'), dataApi), read: readWith(dataApi) };
}

/**
 * Reads, as the current tenant, what a statement says that somebody has typed. It can change nothing: its transaction is read-only and
 * never committed.
 *
 * @throws AppError statement-refused with what Postgres says of the statement; DatabaseError for everything else
 */
export async function readText(sql: string, limits: ReadLimits): Promise<TextRows> {
  const context = currentTenant();
  const { router, read } = (reader ??= readerOfTheEnvironment());
  try {
    return await observed('select', () => atHome(router, context, (home) => read(home, context, sql, limits)));
  } catch (error) {
    throw refusalOf(error, limits) ?? error;
  }
}

function decodeRow(text: string | null | undefined): Row {
  return decodeJson(text ?? 'null', (_, source) => source) as Row;
}

function refusalOf(error: unknown, { timeoutMs }: ReadLimits): AppError | undefined {
  if (!(error instanceof DatabaseError) || !faultsOfTheStatement.test(error.sqlState ?? '')) return undefined;
  if (error.sqlState === '57014') {
    return new AppError('statement-refused', `It took longer than ${timeoutMs / 1_000} s. Ask for less.`, {
      cause: error,
    });
  }
  // The RDS Data API writes `ERROR: <message>; SQLState: <code>`, and Postgres's position and hint on lines of their own.
  const said = error.cause instanceof Error ? error.cause.message : error.message;
  const text = said.replace(/^ERROR: /, '').replace(/; SQLState: \w{5}\s*$/, '');
  return new AppError(
    'statement-refused',
    `${text.replace(/\s*\n\s*Where: [^]*$/, '').replaceAll(/\s*\n\s*/g, ' ')} (${error.sqlState ?? ''})`,
    {
      cause: error,
    },
  );
}
