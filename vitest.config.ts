import { configDefaults, defineConfig } from 'vitest/config';
import { SkippedTests } from './test/helpers/skipped-tests.ts';

/** One project a kind of test, so that `npx vitest --project unit` runs a kind alone. */
const project = (name: string, options: object = {}) => ({
  extends: true as const,
  test: { name, include: [`test/${name}/**/*.test.ts`], ...options },
});

export default defineConfig({
  test: {
    testTimeout: 30_000,
    hookTimeout: 120_000,
    pool: 'forks',
    // Tests wait for servers more than they compute: two files at once, also where there are two cores.
    maxWorkers: 2,
    reporters: [new SkippedTests(), ...configDefaults.reporters],
    projects: [
      project('unit', { testTimeout: 60_000 }),
      project('cdk', { testTimeout: 120_000 }),
      project('integration', { globalSetup: ['test/helpers/global-postgres.ts'], testTimeout: 120_000 }),
      project('isolation', { globalSetup: ['test/helpers/global-postgres.ts'], testTimeout: 300_000 }),
      // One after the other, and after all others: they share a stack, which has the limits of a deployed one.
      project('e2e', {
        globalSetup: ['test/helpers/global-stack.ts'],
        testTimeout: 120_000,
        hookTimeout: 300_000,
        fileParallelism: false,
        sequence: { groupOrder: 1 },
      }),
      project('types', {
        include: [],
        typecheck: { enabled: true, only: true, include: ['test/types/**/*.test-d.ts'] },
      }),
    ],
  },
});
