import type * as z from 'zod';
import { mainCluster } from '../shared/contract/index.ts';
import { type StageConfig, type StageConfigInput, stageConfigSchema } from './config-schema.ts';
import { stages } from './stages.ts';

export type { ClusterConfig, IssuerConfig, StageConfig, StageConfigInput } from './config-schema.ts';

/** The configuration of a stage cannot be used. The message lists every problem and what to do about it. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
  readonly problems: readonly string[];

  constructor(stage: string, problems: readonly string[]) {
    const list = problems.map((problem) => `  - ${problem}`).join('\n');
    super(`The configuration of stage "${stage}" has ${problems.length} problem(s), see lib/stages.ts:\n${list}`);
    this.problems = problems;
  }
}

/**
 * Checks a stage's configuration and fills in the defaults.
 *
 * @throws ConfigurationError with all problems at once
 */
export function parseConfig(input: StageConfigInput): StageConfig {
  const parsed = stageConfigSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'configuration'}: ${reasonOf(issue)}`);
  throw new ConfigurationError(input.stage, problems);
}

/** What is wrong with the name of a cluster is one level further down. */
function reasonOf(issue: z.core.$ZodIssue): string {
  return issue.code === 'invalid_key' ? issue.issues.map(({ message }) => message).join(', ') : issue.message;
}

/**
 * The configuration of a declared stage.
 *
 * @param overrides replace top-level keys, for example the issuers of a stack that runs locally
 * @throws ConfigurationError when the stage is not declared or not valid
 */
export function loadConfig(stage: string, overrides: Partial<StageConfigInput> = {}): StageConfig {
  const declared = stages[stage];
  if (!declared) {
    const known = Object.keys(stages).join(', ');
    throw new ConfigurationError(stage, [
      `stage: there is no such stage; choose one of ${known}, or add it to the table`,
    ]);
  }
  return parseConfig({ ...declared, ...overrides, stage });
}

/** Minutes between two looks for what was left behind, see `sweepMinutes` of the configuration. */
export function sweepMinutes({ sweepMinutes: configured, clusters }: StageConfig): number {
  return configured ?? (clusters[mainCluster]?.minCapacity === 0 ? 60 : 1);
}
