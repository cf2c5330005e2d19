import * as z from 'zod';
import { readAs } from './answer.ts';
import type { ControlPlane, Query } from './control-plane.ts';

/** As many as the control plane gives at once. */
const pageSize = 100;

/**
 * The items of a list, from as many pages as it takes.
 *
 * @param most how many items to stop after. @default all there are
 */
export async function listAll<T>(
  { get }: ControlPlane,
  path: string,
  schema: z.ZodType<T>,
  query: Query,
  most = Infinity,
): Promise<T[]> {
  const pageSchema = z.object({ items: z.array(schema), nextCursor: z.string().nullable() });
  const items: T[] = [];
  for (let cursor: string | null | undefined; cursor !== null && items.length < most;) {
    const limit = String(Math.min(pageSize, most - items.length));
    const page = readAs(pageSchema, await get(path, { ...query, limit, cursor }));
    items.push(...page.items);
    cursor = page.nextCursor;
  }
  return items;
}
