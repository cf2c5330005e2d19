import type { Compilable, OperationNode } from 'kysely';

const clauses: Readonly<Record<string, string>> = {
  distinctOn: 'distinct on',
  endModifiers: 'lock',
  groupBy: 'group by',
  having: 'having',
  limit: 'limit',
  returning: 'returning',
};

/** How often each construct of SQL occurs in queries, looked up in the trees that Kysely makes of them. */
export class Constructs {
  readonly #counts = new Map<string, number>();

  /** Counts what is in the query, and returns it. */
  counted<Query extends Compilable & { toOperationNode(): OperationNode }>(query: Query): Query {
    this.#visit(query.toOperationNode(), 0);
    return query;
  }

  /** Constructs that have occurred less than `least` times, of those that the plugin may not get wrong. */
  missing(least: number): readonly string[] {
    return required.filter((name) => this.#of(name) < least);
  }

  #of(name: string): number {
    return this.#counts.get(name) ?? 0;
  }

  toString(): string {
    const sorted = [...this.#counts].sort(([a], [b]) => (a < b ? -1 : 1));
    return sorted.map(([name, count]) => `${name} ${count}`).join(', ');
  }

  #visit(value: unknown, depth: number): void {
    if (Array.isArray(value)) value.forEach((item) => this.#visit(item, depth));
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return;
    const node = value as Readonly<Record<string, unknown>>;
    const inner = depth + (node['kind'] === 'SelectQueryNode' ? 1 : 0);
    for (const name of namesOf(node, depth)) this.#counts.set(name, this.#of(name) + 1);
    Object.values(node).forEach((child) => this.#visit(child, inner));
  }
}

const required = [
  ...['InnerJoin', 'LeftJoin', 'RightJoin', 'FullJoin', 'CrossJoin', 'LateralInnerJoin', 'LateralLeftJoin'].map(
    (type) => `join: ${type}`,
  ),
  ...['union', 'union all', 'except', 'intersect'].map((operator) => `set: ${operator}`),
  ...['select', 'sub-query', 'from a, b', 'with', 'with recursive', 'with: a write', 'window'],
  ...['insert', 'insert from a query', 'update', 'update from', 'delete', 'delete using', 'merge'],
  ...['upsert: nothing', 'upsert: update', ...Object.values(clauses)],
  ...['sql fragment', 'sql fragment with a builder inside'],
];

type Fields = Readonly<Record<string, unknown>>;

function namesOf(node: Fields, depth: number): readonly string[] {
  switch (node['kind']) {
    case 'SelectQueryNode':
      return [
        depth > 0 ? 'sub-query' : 'select',
        ...clausesOf(node),
        ...(severalIn(node['from']) ? ['from a, b'] : []),
      ];
    case 'InsertQueryNode':
      return [isQuery(node['values']) ? 'insert from a query' : 'insert', ...clausesOf(node)];
    case 'UpdateQueryNode':
      return [node['from'] ? 'update from' : 'update', ...clausesOf(node)];
    case 'DeleteQueryNode':
      return [node['using'] ? 'delete using' : 'delete', ...clausesOf(node)];
    case 'MergeQueryNode':
      return ['merge', ...clausesOf(node)];
    case 'JoinNode':
      return [`join: ${String(node['joinType'])}`];
    case 'SetOperationNode':
      return [`set: ${String(node['operator'])}${node['all'] ? ' all' : ''}`];
    case 'OnConflictNode':
      return [node['doNothing'] ? 'upsert: nothing' : 'upsert: update'];
    case 'WithNode':
      return [node['recursive'] ? 'with recursive' : 'with'];
    case 'CommonTableExpressionNode':
      return (node['expression'] as Fields)['kind'] === 'SelectQueryNode' ? [] : ['with: a write'];
    case 'OverNode':
      return ['window'];
    case 'RawNode':
      return [holdsQuery(node) ? 'sql fragment with a builder inside' : 'sql fragment'];
    default:
      return [];
  }
}

const clausesOf = (node: Fields): string[] =>
  Object.entries(clauses).flatMap(([field, name]) => (node[field] ? [name] : []));
const severalIn = (from: unknown): boolean => ((from as { froms?: unknown[] } | undefined)?.froms?.length ?? 0) > 1;
const isQuery = (value: unknown): boolean =>
  !['ValuesNode', undefined].includes((value as { kind?: string } | undefined)?.kind);
const holdsQuery = (node: Fields): boolean =>
  (node['parameters'] as Fields[]).some((child) => String(child['kind']).endsWith('QueryNode'));
