import { tenantApi } from '../../shared/middleware/index.ts';
import { tasksApi } from './schema.ts';
import { createTask, deleteTask, getTask, listTasks, updateTask } from './service.ts';

export const handler = tenantApi(tasksApi, {
  'GET /projects/{projectId}/tasks': ({ path, query }) => listTasks(path.projectId, query),
  'POST /projects/{projectId}/tasks': ({ path, body }) => createTask(path.projectId, body),
  'GET /projects/{projectId}/tasks/{taskId}': ({ path }) => getTask(path),
  'PATCH /projects/{projectId}/tasks/{taskId}': ({ path, body }) => updateTask(path, body),
  'DELETE /projects/{projectId}/tasks/{taskId}': ({ path }) => deleteTask(path),
});
