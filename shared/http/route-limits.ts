import type { RateLimit } from '../rate-limit/index.ts';
import type { RouteDescription, RouteDescriptions } from './describe-api.ts';

const most = 1_000_000;
const minutesADay = 1_440;

/**
 * Refuses weights and limits of routes that make no sense, where they are described: at start, and not at somebody's request.
 *
 * @throws RangeError that names the route, the value and what it may be
 */
export function checkRouteLimits(routes: RouteDescriptions): void {
  for (const [route, description] of Object.entries(routes)) {
    if (!description) continue;
    const problem = (description.limit && limitProblem(description.limit)) ?? weightProblem(description);
    if (problem) throw new RangeError(`${route}: ${problem}`);
  }
}

function weightProblem({ weight = 1, limit }: RouteDescription): string | undefined {
  if (!isCount(weight)) return `its weight must be a whole number from 1 to ${most}, not ${weight}.`;
  if (limit && weight > limit.burst) return `its weight ${weight} never fits into its own burst of ${limit.burst}.`;
  return undefined;
}

function limitProblem({ requestsPerMinute, burst }: RateLimit): string | undefined {
  if (!isCount(burst)) return `its burst must be a whole number from 1 to ${most}, not ${burst}.`;
  if (!(requestsPerMinute > 0 && requestsPerMinute <= most))
    return `its requestsPerMinute must be more than 0 and at most ${most}, not ${requestsPerMinute}.`;
  if (burst / requestsPerMinute > minutesADay)
    return `a burst of ${burst} at ${requestsPerMinute} requests a minute takes more than a day to fill.`;
  return undefined;
}

const isCount = (value: number): boolean => Number.isInteger(value) && value >= 1 && value <= most;
