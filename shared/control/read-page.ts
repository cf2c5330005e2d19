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
  /** What tells rows apart and orders them: the columns of an index, with their types. A cursor has a value for each. */
  readonly key: Readonly<Record<string, 'bigint' | 'text' | 'timestamptz' | 'uuid'>>;
}

/** A page of a list, and one row more if there are more. */
export function readPage(
  listing: Listing,
  { limit, cursor }: PageRequest<readonly (string | number)[]>,
): Promise<unknown[]> {
  const { select, from, filter } = listing;
  const key = Object.entries(listing.key);
  const [follows, direction] = listing.order === 'oldest first' ? ['>', 'asc'] : ['<', 'desc'];
  const parameters: Record<string, string> = { rows: `${limit + 1}` };
  const conditions = Object.entries(filter).flatMap(([column, value]) => {
    if (value === undefined) return [];
    parameters[column] = value;
    return [`${column} = :${column}`];
  });
  if (cursor) {
    // One comparison of rows, which the index answers from where the page before ended.
    const position = key.map(([column, type]) => `cast(:after_${column} as ${type})`);
    conditions.push(`(${Object.keys(listing.key).join()}) ${follows} (${position.join()})`);
    key.forEach(([column], index) => (parameters[`after_${column}`] = `${cursor[index]}`));
  }
  const where = conditions.length > 0 ? `where ${conditions.join(' and ')}` : '';
  return queryRegistry({
    sql: `select ${select} from ${from} ${where}
      order by ${key.map(([column]) => `${column} ${direction}`).join()} limit cast(:rows as integer)`,
    parameters,
    operation: 'select',
    twice: 'harmless',
  });
}
