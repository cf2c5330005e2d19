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

/** Trees that were scoped already: a query builder inside of another query passes through here twice. */
const scoped = new WeakSet<object>();

/**
 * Adds the current tenant to every query, before the database does the same by its policies: to what is read from each tenant table,
 * to what is inserted, and it refuses a query that names another tenant. A net, so that a query which has forgotten its tenant
 * fails in no test and leaks in no production; the wall is row-level security.
 *
 * It sees query builders, also inside of `sql` fragments. It cannot see tables that are named in the text of a fragment
 * (`sql\`select * from projects\``), nor a table that a fragment hides behind a condition (`sql\`true) or (true\``).
 */
export class ScopePlugin implements KyselyPlugin {
  transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
    if (scoped.has(node)) return node;
    const result = new ScopeTransformer(currentTenant().tenantId, scoped).transformNode(node, queryId);
    scoped.add(result);
    return result;
  }

  transformResult({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> {
    return Promise.resolve(result);
  }
}
