import { describe, expect, it } from 'vitest';
import { tasksApi } from '../../../functions/tasks/schema.ts';
import { describeApi, type RouteDescription } from '../../../shared/http/index.ts';

const [name = ''] = Object.keys(tasksApi.routes);
const describeWith = (changes: Pick<RouteDescription, 'weight' | 'limit'>) => {
  const routes = { ...tasksApi.routes, [name]: { summary: 'Limited', ...changes } };
  return () => describeApi('tasks', routes);
};

describe('a route that is described', () => {
  it.each([
    {},
    { weight: 5 },
    { limit: { requestsPerMinute: 6, burst: 2 } },
    { weight: 2, limit: { requestsPerMinute: 0.1, burst: 2 } },
  ])('may have the weight and limit %j', (changes) => {
    expect(describeWith(changes)).not.toThrow();
  });

  it.each([
    [{ weight: 0 }, 'weight must be a whole number'],
    [{ weight: 1.5 }, 'weight must be a whole number'],
    [{ weight: Number.NaN }, 'weight must be a whole number'],
    [{ weight: 3, limit: { requestsPerMinute: 6, burst: 2 } }, 'weight 3 never fits into its own burst of 2'],
    [{ limit: { requestsPerMinute: 6, burst: 0 } }, 'burst must be a whole number'],
    [{ limit: { requestsPerMinute: 6, burst: 2.5 } }, 'burst must be a whole number'],
    [{ limit: { requestsPerMinute: 0, burst: 1 } }, 'requestsPerMinute must be more than 0'],
    [{ limit: { requestsPerMinute: Number.NaN, burst: 1 } }, 'requestsPerMinute must be more than 0'],
    [{ limit: { requestsPerMinute: Infinity, burst: 1 } }, 'requestsPerMinute must be more than 0'],
    [{ limit: { requestsPerMinute: 0.001, burst: 10 } }, 'more than a day'],
  ])('is refused with %j, by its name', (changes, problem) => {
    expect(describeWith(changes)).toThrow(problem);
    expect(describeWith(changes)).toThrow(name);
  });
});
