import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigurationError, loadConfig, parseConfig, type StageConfigInput } from '../../lib/config.ts';
import { stages } from '../../lib/stages.ts';
import { authorizerCacheSeconds } from '../../shared/contract/index.ts';

const problemsOf = (input: unknown): readonly string[] => {
  try {
    parseConfig(input as StageConfigInput);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
};

describe('the configuration of a stage', () => {
  it('is valid for every declared stage', () => {
    for (const stage of Object.keys(stages)) expect(loadConfig(stage).stage).toBe(stage);
  });

  it('needs nothing but a name', () => {
    const config = parseConfig({ stage: 'x' });

    expect(config).toMatchObject({ logRetentionDays: 30, authorizerCacheSeconds, issuers: [] });
    expect(config.clusters).toEqual({
      main: {
        minCapacity: 0.5,
        maxCapacity: 4,
        readers: 0,
        backupRetentionDays: 7,
        deletionProtection: true,
        models: ['pool', 'bridge', 'silo'],
        limits: {},
        drained: false,
      },
    });
  });

  it('reports every problem at once, with the place and what to do', () => {
    const problems = problemsOf({
      stage: 'Dev_1',
      account: '123',
      region: 'Frankfurt',
      logRetentionDays: 31,
      authorizerCacheSeconds: authorizerCacheSeconds + 1,
      issuers: [{ issuer: 'nobody', audience: [] }],
      clusters: { main: { minCapacity: 8, maxCapacity: 4 }, Second: {} },
      corsAllowedOrigins: ['app.example.com'],
      alarms: { email: 'nobody', topicArn: 'topic' },
    });

    expect(problems.map((problem) => problem.split(':')[0]).sort()).toEqual([
      'account',
      'alarms.email',
      'alarms.topicArn',
      'authorizerCacheSeconds',
      'clusters.Second',
      'clusters.main.maxCapacity',
      'corsAllowedOrigins.0',
      'issuers.0.audience',
      'issuers.0.issuer',
      'logRetentionDays',
      'region',
      'stage',
    ]);
    for (const problem of problems) expect(problem).not.toMatch(/Invalid (input|string|key)/);
  });

  it.each([
    ['a capacity between the steps', { main: { minCapacity: 0.7 } }, 'clusters.main.minCapacity: use steps of 0.5 ACU'],
    ['a pause of a cluster that never pauses', { main: { minCapacity: 1, autoPauseMinutes: 5 } }, 'minCapacity 0'],
    ['clusters without the one of the registry', { other: {} }, 'declare the cluster "main"'],
    ['a cluster that takes no model', { main: { models: [] } }, 'clusters.main.models: name a model, or set `drained`'],
    ['a limit of nobody', { main: { limits: { silo: 0 } } }, 'clusters.main.limits.silo: use 1 or more'],
    [
      'a limit of what a cluster does not take',
      { main: {}, silos: { models: ['silo'], limits: { silo: 5, bridge: 9 } } },
      'clusters.silos.limits.bridge: the cluster takes no bridge tenants; add bridge to `models`',
    ],
    [
      'clusters of which none takes the pool',
      { main: { models: ['bridge'] }, silos: { models: ['silo'] } },
      'clusters: let a cluster take the model pool',
    ],
    ['more backup than Aurora keeps', { main: { backupRetentionDays: 36 } }, 'use 1 to 35 days'],
  ])('refuses %s', (_, clusters, expected) => {
    expect(problemsOf({ stage: 'x', clusters }).join()).toContain(expected);
  });

  it.each(['a--b', 'a-', '-a', '1a', 'a_b', 'A', '', 'a'.repeat(21)])(
    'refuses the name %j for a cluster, since RDS refuses it or what is made of it',
    (name) => {
      const problems = problemsOf({ stage: 'x', clusters: { main: {}, [name]: {} } });
      expect(problems).toEqual([expect.stringMatching(`^clusters\\.${name}: .*name clusters with`)]);
      expect(problemsOf({ stage: name })).toEqual([expect.stringMatching(/^stage: .*use /)]);
    },
  );

  it('takes names with single hyphens, as long as may be', () => {
    expect(
      problemsOf({ stage: 'a-b-c-d-e-f-g-h1', clusters: { main: {}, 'eu-2-b': {}, ['a'.repeat(20)]: {} } }),
    ).toEqual([]);
  });

  it.each([
    ['https://app.example.com/', 'https://app.example.com'],
    ['https://app.example.com/admin', 'https://app.example.com'],
    ['https://App.example.com', 'https://app.example.com'],
    ['https://app.example.com:443', 'https://app.example.com'],
  ])('refuses the origin %s, which no browser sends', (origin, instead) => {
    expect(problemsOf({ stage: 'x', corsAllowedOrigins: [origin] }).join()).toContain(`use ${instead}`);
  });

  it('refuses origins beside *, which allows all of them', () => {
    const problems = problemsOf({ stage: 'x', corsAllowedOrigins: ['*', 'https://app.example.com'] });
    expect(problems.join()).toContain('corsAllowedOrigins: use * alone');
  });

  it('refuses a key that it does not know, which is most likely a typing error', () => {
    expect(problemsOf({ stage: 'x', logRetention: 7 }).join()).toContain('logRetention');
  });

  it('names the stages there are when asked for another', () => {
    expect(() => loadConfig('staging')).toThrow(/choose one of dev, prod, local/);
  });

  it('ends the command with a clear line instead of a stack trace when there is no such stage', () => {
    const env = { ...process.env, CDK_CONTEXT_JSON: JSON.stringify({ stage: 'staging' }) };
    const { status, stderr } = spawnSync(process.execPath, [resolve('lib/main.ts')], { env, encoding: 'utf8' });

    expect(status).toBe(1);
    expect(stderr).toContain('choose one of dev, prod, local');
    expect(stderr).not.toContain('    at ');
  });
});
