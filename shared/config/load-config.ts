import type * as z from 'zod';
import { variables } from './variables.ts';

type VariableName = keyof typeof variables;

/** The parsed value of every variable, by name. */
type Config = { readonly [Name in VariableName]: z.output<(typeof variables)[Name]['schema']> };

export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads the variables that a function needs, and no others, from the environment. Call it once, at cold start.
 *
 * @throws ConfigurationError that lists every problem with the variable's name and what to set it to, but not its value
 * @example const { clusters, registry } = loadConfig('clusters', 'registry');
 */
export function loadConfig<Name extends VariableName>(...names: Name[]): Pick<Config, Name> {
  return parseConfig(process.env, names);
}

/** `loadConfig` for an environment that is not the process's own. */
export function parseConfig<Name extends VariableName>(
  environment: Readonly<Record<string, string | undefined>>,
  names: readonly Name[],
): Pick<Config, Name> {
  const results = names.map((name) => ({
    name,
    result: variables[name].schema.safeParse(environment[variables[name].key]),
  }));
  const problems = results.flatMap(({ name, result }) => (result.success ? [] : [problemOf(name, result.error)]));
  if (problems.length > 0) {
    throw new ConfigurationError(
      `The configuration is not valid:\n${problems.map((problem) => `- ${problem}`).join('\n')}`,
    );
  }
  return Object.fromEntries(results.map(({ name, result }) => [name, result.data])) as Pick<Config, Name>;
}

function problemOf(name: VariableName, error: z.ZodError): string {
  const issues = error.issues.map(({ path, message }) => (path.length > 0 ? `${path.join('.')}: ${message}` : message));
  return `${variables[name].key} ${issues.join('; ')}. Set it to ${variables[name].expected}.`;
}
