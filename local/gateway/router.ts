import type { ApiDefinition, MethodDefinition } from './definition.ts';
import { decode } from './request.ts';

export interface RouteMatch {
  readonly method: MethodDefinition;
  /** Decoded; null where the path has no parameters. */
  readonly pathParameters: Readonly<Record<string, string>> | null;
}

/**
 * The method that answers a path, as API Gateway matches: literal parts before parameters before `{proxy+}`, one slash at the end is
 * overlooked, everything else counts as written.
 *
 * @param path percent-encoded
 * @returns `bad-path` where a parameter's encoding is malformed; undefined where nothing matches.
 */
export function findRoute(api: ApiDefinition, httpMethod: string, path: string): RouteMatch | 'bad-path' | undefined {
  const given = segmentsOf(path.length > 1 ? path.replace(/\/$/, '') : path);
  const resourcePaths = [...new Set(api.methods.map(({ resourcePath }) => resourcePath))]
    .filter((resourcePath) => matches(segmentsOf(resourcePath), given))
    .sort(byPrecedence);
  const [resourcePath] = resourcePaths;
  if (resourcePath === undefined) return undefined;
  const ofResource = api.methods.filter((method) => method.resourcePath === resourcePath);
  const method =
    ofResource.find((candidate) => candidate.httpMethod === httpMethod) ??
    ofResource.find((candidate) => candidate.httpMethod === 'ANY');
  if (!method) return undefined;
  const pathParameters = parametersOf(segmentsOf(resourcePath), given);
  return pathParameters === undefined ? 'bad-path' : { method, pathParameters };
}

const segmentsOf = (path: string): string[] => path.split('/').slice(1);
const isParameter = (segment: string): boolean => segment.startsWith('{');
const isGreedy = (segment: string): boolean => segment.endsWith('+}');

function matches(pattern: readonly string[], given: readonly string[]): boolean {
  const greedy = pattern.findIndex(isGreedy);
  if (greedy < 0 ? pattern.length !== given.length : given.length < pattern.length) return false;
  return pattern.every((segment, index) => segment === given[index] || (isParameter(segment) && given[index] !== ''));
}

/** Smaller first: at the first place where two patterns differ, literal before parameter before greedy. */
function byPrecedence(a: string, b: string): number {
  const rank = (segment: string | undefined): number =>
    segment === undefined ? 3 : isGreedy(segment) ? 2 : isParameter(segment) ? 1 : 0;
  const [left, right] = [segmentsOf(a), segmentsOf(b)];
  const at = left.findIndex((segment, index) => rank(segment) !== rank(right[index]));
  return at < 0 ? 0 : rank(left[at]) - rank(right[at]);
}

function parametersOf(pattern: readonly string[], given: readonly string[]): Record<string, string> | null | undefined {
  const parameters: Record<string, string> = {};
  for (const [index, segment] of pattern.entries()) {
    if (!isParameter(segment)) continue;
    const value = decode(isGreedy(segment) ? given.slice(index).join('/') : (given[index] ?? ''));
    if (value === undefined) return undefined;
    parameters[segment.slice(1, isGreedy(segment) ? -2 : -1)] = value;
  }
  return Object.keys(parameters).length > 0 ? parameters : null;
}
