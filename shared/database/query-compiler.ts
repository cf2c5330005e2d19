import {
  AliasNode,
  type CompiledQuery,
  IdentifierNode,
  type OperationNode,
  PostgresQueryCompiler,
  type QueryId,
  RawNode,
  type RootOperationNode,
  ReturningNode,
  SelectionNode,
  SelectQueryNode,
} from 'kysely';
import { AppError } from '../errors/index.ts';
import type { CompiledStatement, Operation } from './compiled-statement.ts';
import { isQuery, type QueryNode, type WritingQueryNode } from './query-nodes.ts';
import { resultColumns, withExplicitColumns } from './result-columns.ts';

const operations: Readonly<Record<string, Operation>> = {
  SelectQueryNode: 'select',
  InsertQueryNode: 'insert',
  UpdateQueryNode: 'update',
  DeleteQueryNode: 'delete',
  MergeQueryNode: 'merge',
  RawNode: 'raw',
};

/** No query of ours can have this name, so it hides nothing. */
const affected = '"$affected"';

const mayWriteOrLock = /\b(insert|update|delete|merge|for\s+(no\s+key|key|share))\b/i;

/**
 * Compiles queries into statements for `tenancy.run`: placeholders are `format()`'s `%1$L`, every other percent sign is doubled, every
 * statement returns rows, and values that are too wide for a JSON number leave as text.
 */
export class TenantQueryCompiler extends PostgresQueryCompiler {
  override compileQuery(node: RootOperationNode, queryId: QueryId): CompiledStatement {
    const operation = operations[node.kind];
    if (!operation) {
      throw new AppError('internal', `A ${node.kind} is no query. Change tables in migrations/tenant.`);
    }
    if ((node as { explain?: unknown }).explain !== undefined) {
      throw new AppError(
        'internal',
        'EXPLAIN tells what other tenants have. Explain the query as the owner of the tables.',
      );
    }
    const isCount = isQuery(node) && !SelectQueryNode.is(node) && !node.returning;
    const compiled: CompiledQuery = super.compileQuery(asRows(node) as RootOperationNode, queryId);
    const isSelect = operation === 'select' || (operation === 'raw' && /^\s*select\b/i.test(compiled.sql));
    return { ...compiled, query: node, operation, isCount, isReadOnly: isSelect && !mayWriteOrLock.test(compiled.sql) };
  }

  protected override append(text: string): void {
    super.append(text.replaceAll('%', '%%'));
  }

  protected override appendValue(value: unknown): void {
    this.addParameter(value);
    super.append(`%${this.numParameters}$L`);
  }
}

/** The statement that answers a query with rows of JSON-safe values. */
function asRows(node: RootOperationNode): OperationNode {
  if (!isQuery(node)) return node;
  if (!SelectQueryNode.is(node) && !node.returning) return asCount(node);
  const columns = resultColumns(node);
  if (columns.every(({ isNarrow }) => isNarrow)) return node;
  const outputs = columns.map(({ name, isNarrow }, index) => {
    if (name === undefined) throw unnamed();
    return `${isNarrow ? `c${index}` : `tenancy.out(c${index})`} as "${name.replaceAll('"', '""')}"`;
  });
  const aliases = columns.map((_, index) => `c${index}`).join(', ');
  const explicit: QueryNode = withExplicitColumns(node);
  if (!SelectQueryNode.is(explicit)) return hoisted(explicit, `${affected}(${aliases})`, outputs.join(', '));
  // The wrapper reads a sub-query with an order of its own in that order; sorting and limiting stay inside.
  const { with: own, ...bare } = explicit;
  const fragments = [`select ${outputs.join(', ')} from `, ` as q(${aliases})`];
  return own
    ? RawNode.create(['', ` ${fragments[0]}`, fragments[1] ?? ''], [own, bare])
    : RawNode.create(fragments, [bare]);
}

function asCount(node: WritingQueryNode): OperationNode {
  const one = SelectionNode.create(AliasNode.create(RawNode.createWithSql('1'), IdentifierNode.create('one')));
  return hoisted({ ...node, returning: ReturningNode.create([one]) }, affected, 'count(*) as affected');
}

/** A query that writes may stand in a WITH only, and only in the outermost: its own WITH moves there, before it. */
function hoisted(node: WritingQueryNode, name: string, outputs: string): OperationNode {
  const { with: own, ...bare } = node;
  const end = `) select ${outputs} from ${affected}`;
  if (!own) return RawNode.create([`with ${name} as (`, end], [bare]);
  return RawNode.create(['', `, ${name} as (`, end], [own, bare]);
}

function unnamed(): AppError {
  return new AppError(
    'internal',
    "The names of the result's columns cannot be known. Name each column in select() or returning(), with an alias for expressions.",
  );
}
