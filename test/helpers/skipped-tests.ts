import type { Reporter, TestCase, TestModule } from 'vitest/node';

/** Says of every test that was skipped why: what `skip(condition, why)` of the test's context was told. */
export class SkippedTests implements Reporter {
  onTestRunEnd(testModules: readonly TestModule[]): void {
    const skipped = testModules.flatMap((testModule) => [...testModule.children.allTests('skipped')]);
    const lines = skipped
      .filter(isOfInterest)
      .map((test) => `  ${test.fullName}: ${reasonOf(test) ?? 'no reason given'}`);
    if (lines.length > 0) console.log(['', 'Skipped, and why:', ...lines, ''].join('\n'));
  }
}

/** What `--testNamePattern` leaves out is skipped too, and what a failing hook keeps from running: neither needs a word more. */
function isOfInterest(test: TestCase): boolean {
  const isExplained = test.project.config.testNamePattern !== undefined || test.module.state() === 'failed';
  return reasonOf(test) !== undefined || !isExplained;
}

function reasonOf(test: TestCase): string | undefined {
  const result = test.result();
  return result.state === 'skipped' ? result.note : undefined;
}
