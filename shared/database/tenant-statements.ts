import { AppError } from '../errors/index.ts';
import type { TenantContext } from '../tenancy/index.ts';
import type { Statement } from './compiled-statement.ts';
import type { DataApi } from './data-api.ts';
import type { Twice } from './retry.ts';
import type { Home } from './router.ts';
import { decodeJson, type Row } from './rows.ts';

const run =
  'select * from tenancy.run(:capability, :schema, :statement, cast(:arguments as jsonb), cast(:read_only as boolean))';
const runBatch =
  'select * from tenancy.run_batch(:capability, :schema, cast(:statements as jsonb), cast(:read_only as boolean))';

export interface RunOptions {
  readonly isReadOnly: boolean;
  readonly twice: Twice;
  readonly transactionId?: string | undefined;
}

/** One statement as the tenant, in one call. */
export async function runStatement(
  dataApi: DataApi,
  home: Home,
  { capability }: TenantContext,
  statement: Statement,
  { isReadOnly, twice, transactionId }: RunOptions,
): Promise<readonly Row[]> {
  const parameters = {
    capability,
    schema: home.schema,
    statement: statement.statement,
    arguments: JSON.stringify(statement.arguments),
    read_only: isReadOnly,
  };
  const rows = await dataApi.execute(home, run, parameters, { twice, transactionId });
  return rows.map(([text]) => decodeJson(textOf(text)) as Row);
}

/** Several statements as the tenant, in one call and one transaction; the rows of each. Read-only if none of them writes. */
export async function runStatements(
  dataApi: DataApi,
  home: Home,
  { capability }: TenantContext,
  statements: readonly Statement[],
  { isReadOnly, twice }: RunOptions,
): Promise<readonly (readonly Row[])[]> {
  const parameters = { capability, schema: home.schema, statements: JSON.stringify(statements), read_only: isReadOnly };
  const rows = await dataApi.execute(home, runBatch, parameters, { twice });
  const results = statements.map((): Row[] => []);
  for (const [text] of rows) {
    const [index, row] = decodeJson(textOf(text)) as [number, Row];
    results[index]?.push(row);
  }
  return results;
}

function textOf(value: string | null | undefined): string {
  if (typeof value === 'string') return value;
  throw new AppError(
    'internal',
    'The database answered with a row that is not text. Is the kernel of this version installed?',
  );
}
