import {
  AliasNode,
  ColumnNode,
  DefaultInsertValueNode,
  FromNode,
  IdentifierNode,
  type InsertQueryNode,
  type OnConflictNode,
  type OperationNode,
  ParensNode,
  PrimitiveValueListNode,
  RawNode,
  SelectionNode,
  type SelectQueryNode,
  type TableNode,
  ValueListNode,
  ValueNode,
  ValuesNode,
} from 'kysely';
import { assertOwn, foreignTenant, isOf, isTenantColumn, narrowedWhere, tenantColumn } from './scope-nodes.ts';
import { TenantScopeError } from './scope-error.ts';

const column = ColumnNode.create(tenantColumn);

/** The insert with `tenant_id` filled in, in every row. */
export function scopedInsert(tenantId: string, node: InsertQueryNode, target: TableNode | undefined): InsertQueryNode {
  const conflict = node.onConflict && { onConflict: scopedConflict(tenantId, node.onConflict, target) };
  return { ...node, ...conflict, ...filled(tenantId, node) };
}

function filled(tenantId: string, node: InsertQueryNode): Partial<InsertQueryNode> {
  const { columns = [], values } = node;
  const position = columns.findIndex(isTenantColumn);
  if (!values) return { defaultValues: false, columns: [column], values: ValuesNode.create([row([], tenantId)]) };
  if (!ValuesNode.is(values)) return filledFromQuery(tenantId, node, values);
  if (position < 0) {
    return {
      columns: [...columns, column],
      values: ValuesNode.create(values.values.map((items) => row(items, tenantId))),
    };
  }
  return { values: ValuesNode.create(values.values.map((items) => own(items, position, tenantId))) };
}

type RowNode = ValuesNode['values'][number];

/** The row with the tenant at its end. */
function row(items: RowNode | readonly [], tenantId: string): RowNode {
  if (!('kind' in items)) return PrimitiveValueListNode.create([tenantId]);
  return PrimitiveValueListNode.is(items)
    ? PrimitiveValueListNode.create([...items.values, tenantId])
    : ValueListNode.create([...items.values, ValueNode.create(tenantId)]);
}

/** The row, whose tenant was given: it must be the current one. */
function own(items: RowNode, position: number, tenantId: string): RowNode {
  if (PrimitiveValueListNode.is(items)) {
    if (items.values[position] !== tenantId) throw foreignTenant('inserts');
    return items;
  }
  const given = items.values[position];
  if (given && !DefaultInsertValueNode.is(given)) assertOwn(tenantId, given);
  return ValueListNode.create(items.values.with(position, ValueNode.create(tenantId)));
}

/** `insert into t (a, tenant_id) select source.*, '<tenant>' from (<query>) as source` works for whatever the query is. */
function filledFromQuery(
  tenantId: string,
  { columns }: InsertQueryNode,
  query: OperationNode,
): Partial<InsertQueryNode> {
  if (!columns || columns.some(isTenantColumn)) {
    throw new TenantScopeError(
      'An insert from a query names its columns, without tenant_id, which is filled in: insertInto(…).columns([…]).expression(…).',
    );
  }
  const name = IdentifierNode.create('$source');
  const source: SelectQueryNode = {
    kind: 'SelectQueryNode',
    from: FromNode.create([AliasNode.create(RawNode.is(query) ? ParensNode.create(query) : query, name)]),
    selections: [
      SelectionNode.createSelectAllFromTable({
        kind: 'TableNode',
        table: { kind: 'SchemableIdentifierNode', identifier: name },
      }),
      SelectionNode.create(AliasNode.create(ValueNode.create(tenantId), IdentifierNode.create(tenantColumn))),
    ],
  };
  return { columns: [...columns, column], values: source };
}

/** Every unique key of a tenant table begins with tenant_id, so that a conflict is always with a row of the tenant's own. */
function scopedConflict(tenantId: string, node: OnConflictNode, target: TableNode | undefined): OnConflictNode {
  const { columns, updates } = node;
  const { where: updateWhere } = updates ? narrowedWhere(node.updateWhere, [isOf(tenantId, target)]) : {};
  return {
    ...node,
    ...(columns && !columns.some(isTenantColumn) && { columns: [column, ...columns] }),
    ...(updateWhere && { updateWhere }),
  };
}
