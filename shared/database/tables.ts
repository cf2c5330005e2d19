import { column, table, type TablesOf } from './columns.ts';

/** What an idempotent request was answered with. */
export type StoredResponse = Readonly<Record<string, unknown>>;

/**
 * Every table that a tenant has, as migrations/tenant creates it: the one place where a new table is declared to TypeScript.
 * The types of queries are derived from it; the scope plugin reads from it which tables carry a tenant; the compiler reads which
 * columns are too wide for a JSON number. A test holds it to the catalog of a migrated database.
 */
export const tables = {
  projects: table({
    id: column.uuid().withDefault(),
    name: column.text(),
    description: column.text().nullable(),
    archived: column.boolean().withDefault(),
    version: column.integer().withDefault(),
    created_at: column.timestamptz().withDefault(),
    updated_at: column.timestamptz().withDefault(),
  }),
  tasks: table({
    id: column.uuid().withDefault(),
    project_id: column.uuid(),
    title: column.text(),
    status: column.text<'open' | 'doing' | 'done'>().withDefault(),
    assignee: column.text().nullable(),
    due_on: column.date().nullable(),
    estimate_minutes: column.integer().nullable(),
    version: column.integer().withDefault(),
    created_at: column.timestamptz().withDefault(),
    updated_at: column.timestamptz().withDefault(),
  }),
  idempotency_keys: table({
    key: column.text(),
    status: column.text<'INPROGRESS' | 'COMPLETED'>(),
    response: column.jsonb<StoredResponse>().nullable(),
    request_hash: column.text().nullable(),
    in_progress_until: column.bigint().nullable(),
    expires_at: column.bigint(),
  }),
};

export type Tables = TablesOf<typeof tables>;
