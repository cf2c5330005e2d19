import { sql } from 'kysely';
import { tenantDatabase } from '../../shared/database/index.ts';
import type { NewProject, ProjectChanges, ProjectsQuery } from './schema.ts';

const columns = [
  'id',
  'name',
  'description',
  'archived',
  'version',
  'created_at as createdAt',
  'updated_at as updatedAt',
] as const;

/** A page, and one row more. */
export function selectProjects({ archived, cursor, limit }: ProjectsQuery) {
  let query = tenantDatabase().selectFrom('projects').select(columns);
  if (archived !== undefined) query = query.where('archived', '=', archived);
  if (cursor) query = query.where((eb) => eb(eb.refTuple('created_at', 'id'), '>', eb.tuple(...cursor)));
  return query
    .orderBy('created_at')
    .orderBy('id')
    .limit(limit + 1)
    .execute();
}

export function selectProject(id: string) {
  return tenantDatabase().selectFrom('projects').select(columns).where('id', '=', id).executeTakeFirst();
}

export function insertProject(id: string, { name, description }: NewProject) {
  return tenantDatabase()
    .insertInto('projects')
    .values({ id, name, description: description ?? null })
    .returning(columns)
    .executeTakeFirstOrThrow();
}

export function updateProject(id: string, { version, ...changes }: ProjectChanges) {
  let query = tenantDatabase()
    .updateTable('projects')
    .set({ ...changes, version: sql`version + 1`, updated_at: sql`now()` })
    .where('id', '=', id);
  if (version !== undefined) query = query.where('version', '=', version);
  return query.returning(columns).executeTakeFirst();
}

export function deleteProject(id: string) {
  return tenantDatabase().deleteFrom('projects').where('id', '=', id).returning('id').executeTakeFirst();
}
