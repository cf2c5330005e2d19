import { queryRegistry } from '../database/registry-connection.ts';
import type { PageRequest } from '../http/index.ts';

/** A list in the registry. Columns and expressions are ours, never a client's. */
interface Listing {
  /** What to select, one JSON text. */
  readonly select: string;
  readonly from: string;
  /** Values that columns must have; what is undefined does not matter. */
  readonly filter: Readonly<Record<string, string | undefined>>;
  readonly order: 'oldest first' | 'newest first';
  /** Column that tells rows of one time apart, and its type. An index has `created_at` and this. */
  readonly id: { readonly column: string; readonly type: 'text' | 'uuid' };
}

/** A page of a list, and one row more if there are more. */
export function readPage(listing: Listing, { limit, cursor }: PageRequest): Promise<unknown[]> {
  const { select, from, filter, id } = listing;
  const [follows, direction] = listing.order === 'oldest first' ? ['>', 'asc'] : ['<', 'desc'];
  const parameters: Record<string, string> = { rows: `${limit + 1}` };
  const conditions = Object.entries(filter).flatMap(([column, value]) => {
    if (value === undefined) return [];
    parameters[column] = value;
    return [`${column} = :${column}`];
  });
  if (cursor) {
    // One comparison of rows, which the index answers from where the page before ended.
    const position = `(cast(:after_time as timestamptz), cast(:after_id as ${id.type}))`;
    conditions.push(`(created_at, ${id.column}) ${follows} ${position}`);
    [parameters['after_time'], parameters['after_id']] = cursor;
  }
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return queryRegistry({
    sql: `select ${select} from ${from} ${where}
      order by created_at ${direction}, ${id.column} ${direction} limit cast(:rows as integer)`,
    parameters,
    operation: 'select',
    twice: 'harmless',
  });
}
