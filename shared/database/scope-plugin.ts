import type {
  KyselyPlugin,
  PluginTransformQueryArgs,
  PluginTransformResultArgs,
  QueryResult,
  RootOperationNode,
  UnknownRow,
} from 'kysely';
import { currentTenant } from '../tenancy/index.ts';
import { ScopeTransformer } from './scope-transformer.ts';

/**
 * By rewritten tree, the tree as it was. A query builder of `db` inside of another query passes through here alone, and again inside:
 * only then is known what a common table expression hides from it, so it is rewritten anew from what it was.
 */
const originals = new WeakMap<object, RootOperationNode>();

/**
 * Adds the current tenant to every query, before the database does the same by its policies: to what is read from each tenant table,
 * to what is inserted, and it refuses a query that names another tenant. A net, so that a query which has forgotten its tenant
 * fails in no test and leaks in no production; the wall is row-level security.
 *
 * It sees query builders, also inside of `sql` fragments, and `sql.table` where a table stands by itself. The text of a fragment it cannot read, and narrows nothing there:
 * - a statement that is a fragment: `sql\`select * from projects\`.execute(db)`
 * - a table or a sub-query that is named in the text, or there by `sql.id` or `sql.table`: `selectFrom(sql\`projects\`.as('p'))`, `where(sql\`exists (select …)\`)`
 * - text that closes the parentheses around it: `where(sql\`true) or (true\`)`
 *
 * Nor does it know tables that are not in tables.ts, such as views. docs/scope-plugin.md has the whole list, each with a test.
 */
export class ScopePlugin implements KyselyPlugin {
  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    const result = new ScopeTransformer(currentTenant().tenantId, originals).transformNode(node, queryId);
    originals.set(result, originals.get(node) ?? node);
    return result;
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}
