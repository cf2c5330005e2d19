import {
  AliasNode,
  AndNode,
  BinaryOperationNode,
  ColumnNode,
  FromNode,
  OnNode,
  type OperationNode,
  OperatorNode,
  ParensNode,
  ReferenceNode,
  SelectionNode,
  type SelectQueryNode,
  type TableNode,
  ValueNode,
  WhereNode,
} from 'kysely';
import { unwrap } from './query-nodes.ts';
import { TenantScopeError } from './scope-error.ts';

/** The column that every tenant table begins with. */
export const tenantColumn = 'tenant_id';

/** `<table>.tenant_id = '<tenant>'` */
export function isOf(tenantId: string, table: TableNode | undefined): BinaryOperationNode {
  const column = ReferenceNode.create(ColumnNode.create(tenantColumn), table);
  return BinaryOperationNode.create(column, OperatorNode.create('='), ValueNode.create(tenantId));
}

/** All of `conditions`, and what was there before, which may be a fragment with an `or` in it; nothing new where there are none. */
export function narrowedWhere(
  where: WhereNode | undefined,
  conditions: readonly OperationNode[],
): { where?: WhereNode } {
  if (conditions.length === 0) return {};
  const all = where ? [...conditions, ParensNode.create(where.where)] : conditions;
  return { where: WhereNode.create(all.reduce((left, right) => AndNode.create(left, right))) };
}

export function narrowedOn(on: OnNode, condition: OperationNode): OnNode {
  return { ...on, on: AndNode.create(condition, ParensNode.create(on.on)) };
}

/** `(select * from <table> where tenant_id = '<tenant>') as <alias>`: row-level security, spelled out. */
export function filteredTable(tenantId: string, table: TableNode, alias: OperationNode): AliasNode {
  const query: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([table]),
    selections: [SelectionNode.createSelectAll()],
    where: WhereNode.create(isOf(tenantId, table)),
  };
  return AliasNode.create(query, alias);
}

export function isTenantColumn(node: OperationNode): boolean {
  const inner = unwrap(node);
  if (ReferenceNode.is(inner)) return isTenantColumn(inner.column);
  return ColumnNode.is(inner) && inner.column.name === tenantColumn;
}

/**
 * What a query may write into `tenant_id`: its own tenant, or the column of a row that it could read.
 *
 * @throws TenantScopeError
 */
export function assertOwn(tenantId: string, value: OperationNode): void {
  if (isTenantColumn(value) || (ValueNode.is(value) && value.value === tenantId)) return;
  throw foreignTenant('writes');
}

/** @param verb what the query does with the other tenant */
export function foreignTenant(verb: string): TenantScopeError {
  return new TenantScopeError(
    `The query ${verb} a tenant_id other than the current tenant's. Leave tenant_id out: it is filled in.`,
  );
}
