import { managementError } from './errors.ts';

interface Page<T> {
  readonly item: readonly T[];
  /** Where the next page begins; missing on the last one. */
  readonly position?: string;
}

/** The page of `items` that a query asks for with `limit` and `position`. Ordered by id, which says nothing about age. */
export function pageOf<T extends { readonly id: string }>(items: readonly T[], query: URLSearchParams): Page<T> {
  const limit = Number(query.get('limit') ?? 25);
  if (!Number.isInteger(limit) || limit < 1 || limit > 500) {
    throw managementError('BadRequestException', `Invalid limit: ${query.get('limit')}. It must be 1 to 500.`);
  }
  const after = Buffer.from(query.get('position') ?? '', 'base64url').toString();
  const rest = items.filter(({ id }) => id > after).sort((a, b) => (a.id < b.id ? -1 : 1));
  const item = rest.slice(0, limit);
  const last = item.at(-1);
  if (!last || item.length === rest.length) return { item };
  return { item, position: Buffer.from(last.id).toString('base64url') };
}
