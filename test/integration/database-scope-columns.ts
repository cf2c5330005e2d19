import { type RawBuilder, sql } from 'kysely';
import type { Column, Source, TableName } from './database-scope-random.ts';

/** Names of common table expressions that can be seen from where a query stands. */
export type Hidden = readonly string[];

/** What builds the text of a column of a source. */
export type TextOf = (index: number, name: Column) => RawBuilder<string>;

export const columns: Readonly<Record<TableName, Readonly<Record<Column, string>>>> = {
  projects: { id: 'id', number: 'version', label: 'name' },
  tasks: { id: 'project_id', number: 'estimate_minutes', label: 'title' },
};

export const nameOf = (from: TableName | 'extra', hidden: Hidden): TableName | 'extra' =>
  from === 'extra' && !hidden.includes('extra') ? 'projects' : from;

/** The table that a source reads, unless it is a query or a common table expression. */
function tableOf({ from, via }: Source, hidden: Hidden): TableName | undefined {
  if (typeof from !== 'string') return undefined;
  const name = nameOf(from, hidden);
  return name !== 'extra' && (via === 'schema' || !hidden.includes(name)) ? name : undefined;
}

/** Where it is read with its own column names; a lateral join reads a query over it. */
const namedTableOf = (source: Source, hidden: Hidden): TableName | undefined =>
  source.join.endsWith('Lateral') ? undefined : tableOf(source, hidden);

export function textOf(sources: readonly Source[], hidden: Hidden, prefix = 's'): TextOf {
  return (wanted, name) => {
    const index = Math.min(wanted, sources.length - 1);
    const table = sources[index] && namedTableOf(sources[index], hidden);
    return sql<string>`${sql.ref(`${prefix}${index}.${table ? columns[table][name] : name}`)}::text`;
  };
}
