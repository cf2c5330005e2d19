import {
  type KyselyPlugin,
  type OperationNode,
  OperationNodeTransformer,
  type PluginTransformResultArgs,
  type PluginTransformQueryArgs,
  type QueryId,
  type QueryResult,
  type RootOperationNode,
  type UnknownRow,
} from 'kysely';
import { ScopeTransformer } from '../../shared/database/scope-transformer.ts';

/** What the plugin rewrites, each by a rule of its own. */
export const rules = ['selects', 'joins', 'inserts', 'updates', 'deletes', 'merges'] as const;
type Rule = (typeof rules)[number];

const kinds: Readonly<Record<Exclude<Rule, 'joins'>, string>> = {
  selects: 'SelectQueryNode',
  inserts: 'InsertQueryNode',
  updates: 'UpdateQueryNode',
  deletes: 'DeleteQueryNode',
  merges: 'MergeQueryNode',
};

class Plain extends OperationNodeTransformer {}

/** The plugin's transformer with one rule left out: such queries are copied, and so is all that stands in them. */
class WithHole extends ScopeTransformer {
  readonly #rule: Rule;

  constructor(rule: Rule, originals: WeakMap<object, OperationNode>) {
    super('acme', originals);
    this.#rule = rule;
  }

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId: QueryId): T {
    if (this.#rule !== 'joins' && node.kind === kinds[this.#rule]) return new Plain().transformNode(node, queryId);
    const result = super.transformNodeImpl(node, queryId);
    if (this.#rule !== 'joins' || !('joins' in node) || !node.joins) return result;
    return { ...result, joins: new Plain().transformNode(node, queryId).joins };
  }
}

/** The scope plugin with a hole in it, to see that a test finds it. */
export function leavingOut(rule: Rule): KyselyPlugin {
  const originals = new WeakMap<object, RootOperationNode>();
  return {
    transformQuery({ node, queryId }: PluginTransformQueryArgs): RootOperationNode {
      const result = new WithHole(rule, originals).transformNode(node, queryId);
      originals.set(result, originals.get(node) ?? node);
      return result;
    },
    transformResult: ({ result }: PluginTransformResultArgs): Promise<QueryResult<UnknownRow>> =>
      Promise.resolve(result),
  };
}
