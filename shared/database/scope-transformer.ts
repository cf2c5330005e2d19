import {
  AliasNode,
  type BinaryOperationNode,
  type ColumnUpdateNode,
  type DeleteQueryNode,
  FromNode,
  type InsertQueryNode,
  type JoinNode,
  type MergeQueryNode,
  type OperationNode,
  OperationNodeTransformer,
  OperatorNode,
  PrimitiveValueListNode,
  type QueryId,
  type SelectQueryNode,
  TableNode,
  type UpdateQueryNode,
  UsingNode,
  ValueListNode,
  ValueNode,
  type WithNode,
} from 'kysely';
import { type QueryNode, tableReference } from './query-nodes.ts';
import { scopedInsert } from './scope-insert.ts';
import { scopedMerge } from './scope-merge.ts';
import {
  assertOwn,
  filteredTable,
  foreignTenant,
  isOf,
  isTenantColumn,
  narrowedOn,
  narrowedWhere,
} from './scope-nodes.ts';
import { tables } from './tables.ts';

interface Reads {
  readonly from?: FromNode;
  readonly using?: UsingNode;
  readonly joins?: readonly JoinNode[];
}

/** Rewrites a query tree for one tenant; see `ScopePlugin`. Of one use: it remembers where in the tree it is. */
export class ScopeTransformer extends OperationNodeTransformer {
  readonly #tenantId: string;
  /** By tree that was rewritten before, the tree as it was. */
  readonly #originals: WeakMap<object, OperationNode>;
  /** Names of common table expressions that hide a table, at this place of the tree. */
  #hidden: ReadonlySet<string> = new Set();

  constructor(tenantId: string, originals: WeakMap<object, OperationNode>) {
    super();
    this.#tenantId = tenantId;
    this.#originals = originals;
  }

  protected override transformNodeImpl<T extends OperationNode>(node: T, queryId: QueryId): T {
    return super.transformNodeImpl((this.#originals.get(node) as T | undefined) ?? node, queryId);
  }

  protected override transformSelectQuery(node: SelectQueryNode, queryId: QueryId): SelectQueryNode {
    return this.#block(node, queryId, (bare) => {
      const query = super.transformSelectQuery(bare, queryId);
      const { conditions, ...reads } = this.#scopedReads(query);
      return { ...query, ...reads, ...narrowedWhere(query.where, conditions) };
    });
  }

  protected override transformUpdateQuery(node: UpdateQueryNode, queryId: QueryId): UpdateQueryNode {
    return this.#block(node, queryId, (bare) => {
      const query = super.transformUpdateQuery(bare, queryId);
      const { conditions, ...reads } = this.#scopedReads(query);
      return { ...query, ...reads, ...narrowedWhere(query.where, [...this.#ofTarget(query.table), ...conditions]) };
    });
  }

  protected override transformDeleteQuery(node: DeleteQueryNode, queryId: QueryId): DeleteQueryNode {
    return this.#block(node, queryId, (bare) => {
      const { from, ...query } = super.transformDeleteQuery(bare, queryId);
      const { conditions, ...reads } = this.#scopedReads(query);
      return {
        ...query,
        ...reads,
        from,
        ...narrowedWhere(query.where, [...this.#ofTarget(from.froms[0]), ...conditions]),
      };
    });
  }

  protected override transformInsertQuery(node: InsertQueryNode, queryId: QueryId): InsertQueryNode {
    return this.#block(node, queryId, (bare) => {
      const query = super.transformInsertQuery(bare, queryId);
      return query.into && isTenantTable(query.into) ? scopedInsert(this.#tenantId, query, query.into) : query;
    });
  }

  protected override transformMergeQuery(node: MergeQueryNode, queryId: QueryId): MergeQueryNode {
    return this.#block(node, queryId, (bare) => {
      const { using, ...query } = super.transformMergeQuery(bare, queryId);
      const merge = using ? { ...query, using: { ...using, table: this.#filtered(using.table) } } : query;
      const target = tableReference(merge.into);
      return isTenantTable(target.node) ? scopedMerge(this.#tenantId, merge, target.name) : merge;
    });
  }

  protected override transformColumnUpdate(node: ColumnUpdateNode, queryId: QueryId): ColumnUpdateNode {
    if (isTenantColumn(node.column)) assertOwn(this.#tenantId, node.value);
    return super.transformColumnUpdate(node, queryId);
  }

  /** @throws TenantScopeError for `tenant_id = <another>` and `tenant_id in (…, <another>)` */
  protected override transformBinaryOperation(node: BinaryOperationNode, queryId: QueryId): BinaryOperationNode {
    const { leftOperand, operator, rightOperand } = node;
    if (OperatorNode.is(operator) && (operator.operator === '=' || operator.operator === 'in')) {
      const other = isTenantColumn(leftOperand) ? rightOperand : isTenantColumn(rightOperand) ? leftOperand : undefined;
      if (other && literalsOf(other).some((value) => value !== this.#tenantId)) throw foreignTenant('asks for');
    }
    return super.transformBinaryOperation(node, queryId);
  }

  /** Transforms a query, whose WITH is seen by all of it; each expression of the WITH sees those before it. */
  #block<Q extends QueryNode>(node: Q, queryId: QueryId, transform: (bare: Q) => Q): Q {
    const { with: own, ...bare } = node;
    if (!own) return transform(node);
    const outer = this.#hidden;
    const names = own.expressions.map(({ name }) => name.table.table.identifier.name);
    const transformedWith = this.#with(own, names, queryId);
    this.#hidden = new Set([...outer, ...names]);
    const query = transform(bare as Q);
    this.#hidden = outer;
    return { ...query, with: transformedWith };
  }

  #with(node: WithNode, names: readonly string[], queryId: QueryId): WithNode {
    const outer = this.#hidden;
    const expressions = node.expressions.map((expression, index) => {
      this.#hidden = new Set([...outer, ...(node.recursive ? names : names.slice(0, index))]);
      return this.transformNode(expression, queryId);
    });
    this.#hidden = outer;
    return { ...node, expressions };
  }

  /**
   * What a query reads, for this tenant only: by conditions of its WHERE and of its joins' ON, which leave the plan as it was. Neither
   * can take rows from both sides of a right or full join, so there the tables are filtered where they stand.
   */
  #scopedReads({ from, using, joins }: Reads): Reads & { conditions: readonly OperationNode[] } {
    const isOuter = joins?.some(({ joinType }) => joinType === 'RightJoin' || joinType === 'FullJoin') ?? false;
    const conditions: OperationNode[] = [];
    const scoped = (node: OperationNode): OperationNode => {
      const condition = isOuter ? undefined : this.#condition(node);
      if (condition) conditions.push(condition);
      return condition ? node : this.#filtered(node);
    };
    const scopedJoin = (join: JoinNode): JoinNode => {
      const condition = isOuter ? undefined : this.#condition(join.table);
      if (condition && join.on) return { ...join, on: narrowedOn(join.on, condition) };
      return { ...join, table: join.joinType === 'CrossJoin' ? scoped(join.table) : this.#filtered(join.table) };
    };
    return {
      ...(from && { from: FromNode.create(from.froms.map(scoped)) }),
      ...(using && { using: UsingNode.create(using.tables.map(scoped)) }),
      ...(joins && { joins: joins.map(scopedJoin) }),
      conditions,
    };
  }

  /** The condition that keeps other tenants out of what is read from a table by name. */
  #condition(reference: OperationNode): OperationNode | undefined {
    const { node, name } = tableReference(reference);
    return this.#isRead(node) && name ? isOf(this.#tenantId, name) : undefined;
  }

  #filtered(reference: OperationNode): OperationNode {
    const { node } = tableReference(reference);
    if (!this.#isRead(node)) return reference;
    return filteredTable(this.#tenantId, node, AliasNode.is(reference) ? reference.alias : node.table.identifier);
  }

  #isRead(node: OperationNode): node is TableNode {
    return isTenantTable(node) && (node.table.schema !== undefined || !this.#hidden.has(node.table.identifier.name));
  }

  #ofTarget(reference: OperationNode | undefined): readonly OperationNode[] {
    if (!reference) return [];
    const { node, name } = tableReference(reference);
    return isTenantTable(node) ? [isOf(this.#tenantId, name)] : [];
  }
}

function isTenantTable(node: OperationNode): node is TableNode {
  return TableNode.is(node) && Object.hasOwn(tables, node.table.identifier.name);
}

function literalsOf(node: OperationNode): readonly unknown[] {
  if (PrimitiveValueListNode.is(node)) return node.values;
  if (ValueListNode.is(node)) return node.values.flatMap(literalsOf);
  return ValueNode.is(node) && node.value !== null ? [node.value] : [];
}
