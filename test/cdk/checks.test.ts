import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type App, Stack } from 'aws-cdk-lib';
import { CfnQueue } from 'aws-cdk-lib/aws-sqs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createApp } from '../../lib/app.ts';
import { addChecks } from '../../lib/checks.ts';
import { loadConfig, type StageConfigInput } from '../../lib/config.ts';

let outdir: string;
beforeEach(() => {
  outdir = mkdtempSync(join(tmpdir(), 'tenantry-checks-'));
});
afterEach(() => {
  rmSync(outdir, { recursive: true, force: true });
  process.exitCode = undefined;
});

/** Synthesizes with all checks and returns the rules that were broken, warnings too. */
function findings(
  stage: string,
  overrides: Partial<StageConfigInput> = {},
  change: (app: App) => void = () => {},
): string[] {
  const app = createApp(loadConfig(stage, overrides), { outdir });
  addChecks(app);
  change(app);
  let failed = false;
  try {
    app.synth();
  } catch {
    failed = true;
  }
  const text = readFileSync(join(outdir, 'validation-report.json'), 'utf8');
  const { pluginReports } = JSON.parse(text) as { pluginReports: { violations: { ruleName: string }[] }[] };
  const rules = pluginReports.flatMap(({ violations }) => violations.map(({ ruleName }) => ruleName));
  return failed && rules.length === 0 ? ['synthesis failed'] : rules;
}

describe('the checks at synth', () => {
  it.each(['dev', 'prod'])('find nothing unexplained in stage %s', (stage) => {
    expect(findings(stage)).toEqual([]);
  });

  it('find nothing unexplained with every option in use', () => {
    const everything: Partial<StageConfigInput> = {
      account: '123456789012',
      region: 'eu-central-1',
      clusters: { main: { deletionProtection: false }, second: { minCapacity: 0, readers: 2 } },
      corsAllowedOrigins: ['https://app.example.com', 'https://admin.example.com'],
      baseDomains: ['api.example.com'],
      alarms: { email: 'ops@example.com' },
      api: { ownsAccountLogRole: false },
    };

    expect(findings('prod', everything)).toEqual([]);
  });

  it('fail for what CloudFormation would refuse, and for what the AwsSolutions rules forbid', () => {
    const broken = findings(
      'dev',
      {},
      (app) => new CfnQueue(new Stack(app, 'Broken'), 'Queue', { delaySeconds: 5000 }),
    );

    expect(broken).toEqual(expect.arrayContaining(['F3034', 'AwsSolutions-SQS4']));
  });
});
