import {
  AliasNode,
  type DeleteQueryNode,
  DeleteQueryNode as Delete,
  IdentifierNode,
  type InsertQueryNode,
  InsertQueryNode as Insert,
  type MergeQueryNode,
  MergeQueryNode as Merge,
  type OperationNode,
  ParensNode,
  RawNode,
  type SelectQueryNode,
  SelectQueryNode as Select,
  TableNode,
  type UpdateQueryNode,
  UpdateQueryNode as Update,
} from 'kysely';

export type WritingQueryNode = InsertQueryNode | UpdateQueryNode | DeleteQueryNode | MergeQueryNode;
export type QueryNode = SelectQueryNode | WritingQueryNode;

function isWritingQuery(node: OperationNode): node is WritingQueryNode {
  return Insert.is(node) || Update.is(node) || Delete.is(node) || Merge.is(node);
}

export function isQuery(node: OperationNode): node is QueryNode {
  return Select.is(node) || isWritingQuery(node);
}

/** What stands where a table may stand: the table itself when it is one, and by which name the query refers to it. */
export interface TableReference {
  readonly node: OperationNode;
  /** Undefined when the alias is a raw fragment, or when there is none. */
  readonly name: TableNode | undefined;
}

/** Takes alias and needless raw wrapping (as of `sql.table`) off what stands in `from`, `join` or `using`. */
export function tableReference(node: OperationNode): TableReference {
  if (AliasNode.is(node)) {
    const name = IdentifierNode.is(node.alias) ? TableNode.create(node.alias.name) : undefined;
    return { node: unwrap(node.node), name };
  }
  const inner = unwrap(node);
  return { node: inner, name: TableNode.is(inner) ? inner : undefined };
}

/** `sql.table('projects')`, `sql.ref('id')` and parentheses around a query stand for what is inside of them. */
export function unwrap(node: OperationNode): OperationNode {
  const [child] = RawNode.is(node) ? node.parameters : [];
  if (
    RawNode.is(node) &&
    child &&
    node.parameters.length === 1 &&
    node.sqlFragments.every((text) => text.trim() === '')
  ) {
    return unwrap(child);
  }
  return ParensNode.is(node) && isQuery(node.node) ? node.node : node;
}

/** What a query writes to. A name there is a table even where a common table expression has the same one. */
export function targetOf(node: QueryNode): OperationNode | undefined {
  if (Insert.is(node) || Merge.is(node)) return node.into;
  if (Update.is(node)) return node.table;
  return Delete.is(node) ? node.from.froms[0] : undefined;
}

/** What a query reads from, in the order of its clauses; without its target. */
export function readsOf(node: QueryNode): readonly OperationNode[] {
  if (Insert.is(node)) return [];
  if (Merge.is(node)) return node.using ? [node.using.table] : [];
  const joined = node.joins?.map((join) => join.table) ?? [];
  if (Delete.is(node)) return [...node.from.froms.slice(1), ...(node.using?.tables ?? []), ...joined];
  return [...(node.from?.froms ?? []), ...joined];
}
