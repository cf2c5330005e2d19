import {
  AliasNode,
  ColumnNode,
  IdentifierNode,
  type OperationNode,
  ParensNode,
  ReferenceNode,
  SelectAllNode,
  SelectionNode,
  SelectQueryNode,
  TableNode,
  type WithNode,
} from 'kysely';
import { isQuery, type QueryNode, readsOf, tableReference, targetOf } from './query-nodes.ts';
import { tables } from './tables.ts';

/** A column of a query's result. */
export interface ResultColumn {
  readonly selection: SelectionNode;
  /** Undefined when only the database knows it: `*` of something undeclared, or an expression without an alias. */
  readonly name: string | undefined;
  /** Whether a JSON number certainly holds its values: a declared column, and neither bigint nor numeric. */
  readonly isNarrow: boolean;
}

/** Columns by name, and whether each is narrow. */
type Columns = ReadonlyMap<string, boolean>;
type CommonTables = ReadonlyMap<string, Columns | undefined>;
interface Source {
  readonly name: TableNode | undefined;
  readonly columns: Columns | undefined;
}

const declared: CommonTables = new Map(
  Object.entries(tables).map(([name, columns]) => [
    name,
    new Map(
      Object.entries<{ type: string }>(columns).map(([column, { type }]) => [column, !/^(bigint|numeric)/.test(type)]),
    ),
  ]),
);

/** The columns that `query` answers with, in their order; every `*` over something declared is spelled out. */
export function resultColumns(query: QueryNode, outer: CommonTables = new Map()): readonly ResultColumn[] {
  const commonTables = query.with ? commonTablesOf(query.with, outer) : outer;
  const sources = sourcesOf(query, commonTables);
  const selections = SelectQueryNode.is(query) ? query.selections : query.returning?.selections;
  const columns = (selections ?? []).flatMap((selection) => columnsOf(selection, sources));
  const arms = SelectQueryNode.is(query) ? (query.setOperations ?? []) : [];
  return arms.reduce((merged, { expression }) => {
    const arm = isQuery(expression) ? resultColumns(expression, commonTables) : [];
    return merged.map((column, index) => ({ ...column, isNarrow: column.isNarrow && arm[index]?.isNarrow === true }));
  }, columns);
}

/** `query` with every `*` spelled out, also in the other arms of a union, so that the order of columns is known. */
export function withExplicitColumns<Q extends QueryNode>(query: Q, outer: CommonTables = new Map()): Q {
  const selections = resultColumns(query, outer).map(({ selection }) => selection);
  if (!SelectQueryNode.is(query)) return { ...query, returning: { ...query.returning, selections } };
  const commonTables = query.with ? commonTablesOf(query.with, outer) : outer;
  const setOperations = query.setOperations?.map((arm) =>
    isQuery(arm.expression) ? { ...arm, expression: withExplicitColumns(arm.expression, commonTables) } : arm,
  );
  return { ...query, selections, ...(setOperations && { setOperations }) };
}

function columnsOf(selection: SelectionNode, sources: readonly Source[]): readonly ResultColumn[] {
  const node: OperationNode = selection.selection;
  if (SelectAllNode.is(node)) return sources.flatMap((source) => allOf(source, selection));
  if (ReferenceNode.is(node) && SelectAllNode.is(node.column)) {
    const source = node.table && sources.find(({ name }) => name && sameName(name, node.table));
    return allOf(source ?? { name: node.table, columns: undefined }, selection);
  }
  return [{ selection, name: nameOf(node), isNarrow: isNarrow(node, sources) }];
}

function allOf({ name, columns }: Source, selection: SelectionNode): readonly ResultColumn[] {
  if (!columns || !name) return [{ selection, name: undefined, isNarrow: false }];
  return [...columns].map(([column, isNarrow]) => ({
    selection: SelectionNode.create(ReferenceNode.create(ColumnNode.create(column), name)),
    name: column,
    isNarrow,
  }));
}

function nameOf(node: OperationNode): string | undefined {
  if (AliasNode.is(node)) return IdentifierNode.is(node.alias) ? node.alias.name : undefined;
  if (ReferenceNode.is(node)) return nameOf(node.column);
  return ColumnNode.is(node) ? node.column.name : undefined;
}

function isNarrow(node: OperationNode, sources: readonly Source[]): boolean {
  if (AliasNode.is(node) || ParensNode.is(node)) return isNarrow(node.node, sources);
  const name = nameOf(node);
  if (name === undefined) return false;
  const table = ReferenceNode.is(node) ? node.table : undefined;
  const candidates = table ? sources.filter((source) => source.name && sameName(source.name, table)) : sources;
  const found = candidates.filter(({ columns }) => !columns || columns.has(name));
  return found.length > 0 && found.every(({ columns }) => columns?.get(name) === true);
}

/** A reference may leave out the schema that the table was given with. */
function sameName(source: TableNode, reference: TableNode | undefined): boolean {
  return source.table.identifier.name === reference?.table.identifier.name;
}

function sourcesOf(query: QueryNode, commonTables: CommonTables): readonly Source[] {
  const target = targetOf(query);
  const reads = readsOf(query).map((node) => sourceOf(node, commonTables));
  return target ? [sourceOf(target, new Map()), ...reads] : reads;
}

function sourceOf(reference: OperationNode, commonTables: CommonTables): Source {
  const { node, name } = tableReference(reference);
  if (TableNode.is(node)) {
    const { schema, identifier } = node.table;
    const isCommon = !schema && commonTables.has(identifier.name);
    return { name, columns: (isCommon ? commonTables : declared).get(identifier.name) };
  }
  return { name, columns: isQuery(node) ? byName(resultColumns(node, commonTables)) : undefined };
}

function byName(columns: readonly ResultColumn[], names?: readonly string[]): Columns | undefined {
  const entries = columns.map(({ name, isNarrow }, index) => [names?.[index] ?? name, isNarrow] as const);
  const isComplete = entries.every((entry): entry is readonly [string, boolean] => entry[0] !== undefined);
  return isComplete ? new Map(entries) : undefined;
}

function commonTablesOf(node: WithNode, outer: CommonTables): CommonTables {
  const result = new Map(outer);
  for (const { name, expression } of node.expressions) {
    const names = name.columns?.map(({ column }) => column.name);
    const query = tableReference(expression).node;
    const columns = isQuery(query) ? resultColumns(query, result) : [];
    // Of a recursive one the first arm gives the names; the others may widen a type, so nothing is taken for narrow.
    const known = node.recursive ? columns.map((column) => ({ ...column, isNarrow: false })) : columns;
    result.set(name.table.table.identifier.name, isQuery(query) ? byName(known, names) : undefined);
  }
  return result;
}
