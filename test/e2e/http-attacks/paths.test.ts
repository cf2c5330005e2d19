import { describe, expect, test } from 'vitest';
import { send } from '../../helpers/api-client.ts';
import { plantTarget } from './canary.ts';

const target = plantTarget();
const noRoute = [404, 'route-not-found'] as const;
const notFound = [404, 'not-found'] as const;
const invalid = [400, 'validation-failed'] as const;

/** `:id` is the project of another. */
describe('a path around the routes', () => {
  test.each<[string, readonly [number, string]]>([
    ['/projects//:id', noRoute],
    ['//projects/:id', noRoute],
    ['/projects/:id//', noRoute],
    ['/./projects/:id', noRoute],
    ['/projects/./:id', noRoute],
    ['/projects/x/../:id', noRoute],
    ['/projects/..;/projects/:id', noRoute],
    ['/..;/projects/:id', noRoute],
    ['/projects;tenant=globex/:id', noRoute],
    ['/projects/:id;tenant=globex', invalid],
    ['/projects%2f:id', noRoute],
    ['/projects%2F:id', noRoute],
    ['/projects/%2f:id', invalid],
    ['/projects/:id%2ftasks', invalid],
    ['/projects/:id%00', invalid],
    ['/projects/:id%00.json', invalid],
    ['/projects/%00:id', invalid],
    ['/projects/:id%0a', invalid],
    ['/projects/:id%20', invalid],
    ['/projects/%c0%ae%c0%ae/:id', noRoute],
    ['/projects/%c0%af:id', invalid],
    ['/projects/%e0%80%af:id', invalid],
    ['/projects/%uff0f:id', invalid],
    ['/projects/%252f:id', invalid],
    ['/projects/%2e%2e%2f:id', invalid],
    ['/projects/\\:id', invalid],
    ['/projects/%5c:id', invalid],
    ['/%70rojects/:id', noRoute],
    ['/Projects/:id', noRoute],
    ['/globex/projects/:id', noRoute],
    ['/dev/projects/:id', noRoute],
    ['/tenants/globex/projects/:id', noRoute],
    ['/projects/{projectId}', invalid],
    ['/projects/*', invalid],
    ['/projects/:id,:id', invalid],
    ['/projects/urn:uuid::id', invalid],
    ['/projects/:id', notFound],
    ['/projects/:id/', notFound],
  ])('is taken as it is written, and reaches no row of another: %s', async (path, answer) => {
    for (const method of ['GET', 'DELETE'])
      await target().attack({ method, path: path.replaceAll(':id', target().projectId), answer });
  });

  test.each<[string, readonly [number, string]]>([
    ['/projects/:id/tasks', notFound],
    ['/projects/:id/tasks/', notFound],
    ['/projects/:id?projectId=:id', notFound],
    ['/projects/:id?tenantId=globex', notFound],
    ['/projects?tenant_id=globex', invalid],
    ['/projects?limit=1;tenant_id=globex', invalid],
    ['/projects?__proto__[tenantId]=globex', invalid],
    ['/projects?__proto__=globex', invalid],
    ['/projects?constructor=globex', invalid],
    ['/projects?limit=%00', invalid],
    ['/projects?cursor=%ff', invalid],
    ['/projects?limit=1%26tenant_id=globex', invalid],
  ])('of a list: %s', async (path, answer) => {
    await target().attack({ path: path.replaceAll(':id', target().projectId), answer });
  });

  test('an id in upper case is the same row, and not ours', async () => {
    await target().attack({ path: `/projects/${target().projectId.toUpperCase()}`, answer: notFound });
  });

  test('a path and a query longer than anything', async () => {
    await target().attack({ path: `/projects/${'a'.repeat(8_000)}`, answer: invalid });
    await target().attack({ path: `/${'../'.repeat(2_000)}projects`, answer: noRoute });
    await target().attack({ path: `/projects?cursor=${'a'.repeat(8_000)}`, answer: invalid });
  });
});

test("a cursor of another tenant's list points into our own", async () => {
  const { foreignToken, projectId } = target();
  const list = await send('GET', '/projects?limit=1', { token: foreignToken });
  const { nextCursor } = list.json as { nextCursor: string | null };
  const forged = Buffer.from(JSON.stringify(['2000-01-01T00:00:00+00:00', projectId])).toString('base64url');
  for (const cursor of [nextCursor, forged]) {
    if (cursor === null) continue;
    const { text } = await target().attack({
      path: `/projects?limit=100&cursor=${encodeURIComponent(cursor)}`,
      answer: 200,
    });
    expect(text).not.toContain(projectId);
  }
});
