import * as z from 'zod';
import { described } from './described.ts';

/** Items of a page unless the client asks for another number, and at most. */
const defaultLimit = 20;
const maxLimit = 100;

/** When the last row of a page was created, as the database writes it; of all other forms some are beyond what it reads. */
const creationTime = z.iso.datetime({ offset: true }).regex(/^[12]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?\+00:00$/);

/** Where a page ends: the sort key of its last row. Lists are sorted by creation time, and by id among rows of the same time. */
export type Position = [createdAt: string, id: string];

const limit = z
  .string()
  .regex(/^\d{1,3}$/, `Expected a whole number from 1 to ${maxLimit}.`)
  .transform(Number)
  .refine((value) => value >= 1 && value <= maxLimit, `Expected a whole number from 1 to ${maxLimit}.`)
  .default(defaultLimit)
  .meta({
    description: 'How many items to return at most.',
    override: described({ type: 'integer', minimum: 1, maximum: maxLimit, default: defaultLimit }),
  });

/**
 * Query parameters of a list whose rows are told apart by an id of this form.
 *
 * @example query: z.strictObject({ ...pageQueryBy(tenantIdSchema), plan: planSchema.optional() })
 */
export function pageQueryBy(id: z.ZodType<string>) {
  return pageQueryAt<Position>(z.tuple([creationTime, id]));
}

/** Query parameters of a list that is sorted by something else: `positionSchema` says what of its last row tells where a page ends. */
export function pageQueryAt<At extends readonly unknown[]>(positionSchema: z.ZodType<At>) {
  const cursor = z
    .string()
    .max(500)
    .transform((text, issues): At => {
      const position = decodeCursor(text, positionSchema);
      if (position) return position;
      issues.addIssue({
        code: 'custom',
        message: 'Not a cursor of this API. Pass nextCursor of the page before, unchanged.',
      });
      return z.NEVER;
    })
    .optional()
    .meta({ description: '`nextCursor` of the page before.', override: described({ type: 'string' }) });
  return { limit, cursor };
}

/**
 * Query parameters of every list of rows with UUIDs.
 *
 * @example query: z.strictObject({ ...pageQuery, archived: z.enum(['true', 'false']).optional() })
 */
export const pageQuery = pageQueryBy(z.guid());

/** What a list's query needs to know to fetch a page. Fetch one row more than `limit`: it tells whether another page follows. */
export interface PageRequest<At = Position> {
  readonly limit: number;
  readonly cursor?: At | undefined;
}

/** Body of a list: one page, and where the next one starts. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: 'Pass it as `cursor` to get the next page; null on the last.' }),
  });
}

/** Makes a page of rows that were fetched with `limit + 1`. */
export function toPage<Row extends { readonly id: string; readonly createdAt: string }>(
  rows: readonly Row[],
  request: PageRequest,
): { items: Row[]; nextCursor: string | null } {
  return toPageBy(rows, request, ({ id }) => id);
}

/** `toPage` for rows whose id is called otherwise. */
export function toPageBy<Row extends { readonly createdAt: string }>(
  rows: readonly Row[],
  request: PageRequest,
  idOf: (row: Row) => string,
): { items: Row[]; nextCursor: string | null } {
  return toPageAt(rows, request, (row) => [row.createdAt, idOf(row)]);
}

/** `toPage` for rows of a list that is sorted by something else, see {@link pageQueryAt}. */
export function toPageAt<Row>(
  rows: readonly Row[],
  { limit }: PageRequest<unknown>,
  positionOf: (row: Row) => readonly unknown[],
): { items: Row[]; nextCursor: string | null } {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  return { items, nextCursor: rows.length > limit && last ? encodeCursor(positionOf(last)) : null };
}

function encodeCursor(position: readonly unknown[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** Only what `encodeCursor` makes, to the character. */
function decodeCursor<At extends readonly unknown[]>(text: string, positionSchema: z.ZodType<At>): At | undefined {
  try {
    const position = positionSchema.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
    return encodeCursor(position) === text ? position : undefined;
  } catch {
    return undefined;
  }
}
