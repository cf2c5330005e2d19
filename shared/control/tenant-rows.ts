import * as z from 'zod';
import { DatabaseError } from '../database/database-error.ts';
import type { Parameters } from '../database/data-api.ts';
import { tenantRowsConnection } from '../database/tenant-rows-connection.ts';
import { AppError } from '../errors/index.ts';
import type { Placement } from '../tenancy/tenant.ts';
import type { Turn } from './operations-tenants.ts';
import { close, isOpen, open, type RowsSnapshot } from './rows-view.ts';

/** Whose rows, and where they are. */
export interface TenantHome {
  readonly tenantId: string;
  readonly placement: Placement;
}

/** A home that is to be changed, by whoever has not been overtaken meanwhile. */
export interface HomeInTurn extends TenantHome, Turn {}

/**
 * Changes a home, in one transaction with the look whether anybody has done so in a later turn.
 *
 * @param change a call of the kernel's, as an expression
 * @throws DatabaseError `operation-in-progress` when somebody has
 */
export function changeHome(
  { tenantId, placement, turn }: HomeInTurn,
  change: string,
  parameters: Parameters = {},
): Promise<string[]> {
  return tenantRowsConnection(placement).query(
    `select ${change} from tenancy.require_turn(:tenant, cast(:turn as bigint))`,
    { tenant: tenantId, turn: String(turn), ...parameters },
    { twice: 'harmless' },
  );
}

const columnSchema = z.object({
  name: z.string(),
  type: z.string(),
  nullable: z.boolean(),
  default: z.boolean(),
  generated: z.boolean(),
});

/** A table of tenants, without its column tenant_id. */
export const rowTableSchema = z.object({
  name: z.string(),
  key: z.array(z.string()),
  /** Whether its rows may point at rows that come later, so that these have to be there before they can. */
  linked: z.boolean(),
  columns: z.array(columnSchema),
});
export type RowTable = Readonly<z.output<typeof rowTableSchema>>;

const positionSchema = z.object({ after: z.array(z.string()).nullable(), skip: z.number().int() });
/** Where in a table a page begins: after a key, and so many bytes into the row that follows. */
export type RowsPosition = Readonly<z.output<typeof positionSchema>>;

const headerSchema = positionSchema.extend({ rows: z.number().int(), last: z.boolean(), state: z.string() });

export interface RowsPage {
  /** JSON Lines in UTF-8, 600 kB at most. A row that has more goes on in the next page. */
  readonly bytes: Buffer;
  /** Rows that end in this page. */
  readonly rows: number;
  /** Where the next page begins; undefined after the last one. */
  readonly next: RowsPosition | undefined;
}

/** Rows that a table has of a tenant; null if that cannot be seen. */
export interface FoundRows {
  readonly relation: string;
  readonly schema: string;
  readonly rows: number | null;
}

/** Tables of a placement's schema, parents before children. @throws DatabaseError if one of them is not protected */
async function describe(placement: Placement): Promise<RowTable[]> {
  const rows = await tenantRowsConnection(placement).query(
    'select cast(d as text) from tenancy.describe_rows(:home) d',
    { home: placement.schema },
    { twice: 'harmless' },
  );
  return rows.map((row) => rowTableSchema.parse(JSON.parse(row)));
}

/** A page of a table. @throws AppError tenant-moving if the tenant was suspended when the view was opened, and is not any more */
async function read(
  { tenantId, placement, transaction }: RowsSnapshot,
  table: string,
  { after, skip }: RowsPosition,
): Promise<RowsPage> {
  const [header = '', ...slices] = await tenantRowsConnection(placement).query(
    'select * from tenancy.read_rows(:tenant, :home, :relation, cast(:after as json), cast(:skip as integer))',
    {
      tenant: tenantId,
      home: placement.schema,
      relation: table,
      after: after && JSON.stringify(after),
      skip: String(skip),
    },
    { twice: transaction === undefined ? 'harmless' : 'forbidden', snapshot: transaction },
  );
  const { last, rows, state, ...next } = headerSchema.parse(JSON.parse(header));
  if (transaction === undefined && state !== 'suspended')
    throw new AppError('tenant-moving', `The tenant ${tenantId} did not stay suspended.`);
  return {
    bytes: Buffer.concat(slices.map((slice) => Buffer.from(slice, 'base64'))),
    rows,
    next: last ? undefined : next,
  };
}

/**
 * Inserts rows for a tenant that is suspended; those that are there already stay.
 *
 * @param lines JSON objects as `read` gives them
 * @param links whether to set what points at rows that come later, which has to be done once all are there
 */
async function insert(home: HomeInTurn, table: string, lines: readonly string[], links: boolean): Promise<void> {
  await changeHome(home, 'cast(tenancy.insert_rows(:tenant, :home, :relation, :rows, :links) as text)', {
    home: home.placement.schema,
    relation: table,
    rows: `[${lines.join(',')}]`,
    links,
  });
}

/** Has sequences give out no number that a row of a suspended tenant has: `insert` takes the numbers that rows come with. */
async function advanceSequences(home: HomeInTurn, table: string): Promise<void> {
  await changeHome(home, 'cast(tenancy.advance_sequences(:tenant, :home, :relation) as text)', {
    home: home.placement.schema,
    relation: table,
  });
}

/** Erases rows of a tenant that is suspended, children before parents. @returns how many; 0 when none are left */
async function erase(home: HomeInTurn, most: number): Promise<number> {
  const [erased] = await changeHome(home, 'cast(tenancy.erase_rows(:tenant, :home, cast(:most as integer)) as text)', {
    home: home.placement.schema,
    most: String(most),
  });
  return Number(erased);
}

const foundSchema = z.object({ relation: z.string(), schema: z.string(), held: z.number().nullable() });

/** Rows of a tenant in every table of the database that has a column tenant_id, whatever the kernel thinks of the table. */
async function find({ tenantId, placement }: TenantHome): Promise<FoundRows[]> {
  const rows = await tenantRowsConnection(placement).query(
    'select cast(to_json(f) as text) from tenancy.find_rows(:tenant) f',
    { tenant: tenantId },
    { twice: 'harmless' },
  );
  return rows
    .map((row) => foundSchema.parse(JSON.parse(row)))
    .map(({ relation, schema, held }) => ({ relation, schema, rows: held }));
}

/** Rows of a tenant in the schema where it is at home; undefined if counting them takes longer than a statement may. */
async function count(home: TenantHome): Promise<number | undefined> {
  try {
    const found = await find(home);
    const here = found.filter(({ schema }) => schema === home.placement.schema);
    return here.reduce((sum, { rows }) => sum + (rows ?? 0), 0);
  } catch (error) {
    if (error instanceof DatabaseError && error.code === 'statement-timeout') return undefined;
    throw error;
  }
}

/** Rows of tenants, by the kernel's functions that act for them: under the policies, as requests do. */
export const tenantRows = { describe, open, isOpen, close, read, insert, advanceSequences, erase, find, count };
export type TenantRows = typeof tenantRows;
