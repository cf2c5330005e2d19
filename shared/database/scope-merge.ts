import {
  AndNode,
  InsertQueryNode,
  MatchedNode,
  type MergeQueryNode,
  type OperationNode,
  ParensNode,
  type TableNode,
  type WhenNode,
} from 'kysely';
import { scopedInsert } from './scope-insert.ts';
import { isOf, narrowedOn } from './scope-nodes.ts';

/**
 * The merge, which matches rows of this tenant alone, and fills the tenant in where it inserts. Rows of others match no source
 * then, so "not matched by source" leaves them out too.
 */
export function scopedMerge(tenantId: string, node: MergeQueryNode, target: TableNode | undefined): MergeQueryNode {
  const condition = isOf(tenantId, target);
  const { using, whens } = node;
  return {
    ...node,
    ...(using?.on && { using: { ...using, on: narrowedOn(using.on, condition) } }),
    ...(whens && { whens: whens.map((when) => scopedWhen(tenantId, when, condition)) }),
  };
}

function scopedWhen(tenantId: string, when: WhenNode, condition: OperationNode): WhenNode {
  const { result } = when;
  return {
    ...when,
    condition: bySource(when.condition, condition),
    ...(result && { result: InsertQueryNode.is(result) ? scopedInsert(tenantId, result, undefined) : result }),
  };
}

/** `when not matched by source [and …]` with the tenant's condition; any other `when` as it is. */
function bySource(node: OperationNode, condition: OperationNode): OperationNode {
  if (MatchedNode.is(node)) return node.bySource ? AndNode.create(node, condition) : node;
  if (!AndNode.is(node) || !MatchedNode.is(node.left) || !node.left.bySource) return node;
  return AndNode.create(AndNode.create(node.left, condition), ParensNode.create(node.right));
}
