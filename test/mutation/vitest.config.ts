import { defineConfig } from 'vitest/config';

/** Tests that a mutant of the isolation core has to get past: those that are quick, on a real Postgres where they need one. */
export default defineConfig({
  test: {
    // Each mutant loads the files that reach it anew; within one run they share what they import.
    isolate: false,
    testTimeout: 30_000,
    hookTimeout: 120_000,
    globalSetup: ['test/helpers/global-postgres.ts'],
    include: [
      'test/unit/{authorizer,database,tenancy}/**/*.test.ts',
      'test/integration/{functions-authorizer,silo-routing}.test.ts',
      // Not those that run thousands of random queries or values.
      'test/integration/database-{batch,deadline,errors,isolation,moves,retries}.test.ts',
      'test/integration/database-{scope,scope-blind,shared-placements,statements,tables}.test.ts',
    ],
  },
});
