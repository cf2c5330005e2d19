import { Match } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { functionNames, resourcesOf, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize({
    account: '123456789012',
    region: 'eu-central-1',
    availabilityZones: 3,
    clusters: { main: {}, second: { minCapacity: 0, readers: 1, backupRetentionDays: 14 } },
    logRetentionDays: 90,
  });
});
afterAll(() => synthesized[Symbol.dispose]());

describe('the app', () => {
  it('looks nothing up in the account, also when the stage names it', () => {
    expect(synthesized.manifest.missing ?? []).toEqual([]);
    expect(Object.keys(resourcesOf(synthesized, 'AWS::EC2::Subnet'))).toHaveLength(3);
  });

  it('protects the stacks that hold data or users from being deleted', () => {
    expect(synthesized.terminationProtected.toSorted()).toEqual(['Data', 'Identity']);
  });

  it('keeps every log for the configured time and no longer', () => {
    const logGroups = Object.values(resourcesOf(synthesized, 'AWS::Logs::LogGroup'));

    expect(logGroups.length).toBeGreaterThan(8);
    for (const { Properties } of logGroups) expect(Properties['RetentionInDays']).toBe(90);
  });

  it('gives every function of ours a log group, traces, the same runtime, and time to answer before the gateway does', () => {
    const functions = Object.entries(resourcesOf(synthesized, 'AWS::Lambda::Function')).filter(
      ([id]) => !id.startsWith('AWSCDKTrigger'),
    );

    expect(functions).toHaveLength(functionNames.length);
    for (const [id, { Properties }] of functions) {
      expect(Properties, id).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
        TracingConfig: { Mode: 'Active' },
        LoggingConfig: { LogGroup: { Ref: expect.any(String) } },
      });
      if (!/^(Migrations|Operations|EventsPublish|TenantCache)/.test(id))
        expect(Properties['Timeout'], id).toBeLessThan(29);
    }
  });

  it('makes no issuer of its own when the stage names some', () => {
    using other = synthesize({ issuers: [{ issuer: 'https://login.example.com', audience: ['api'] }] }, 'local');

    expect(Object.keys(other.templates)).not.toContain('Identity');
    templateOf(other, 'Application').hasResourceProperties('AWS::Lambda::Function', {
      Environment: {
        Variables: Match.objectLike({
          TENANTRY_ISSUERS: JSON.stringify([
            {
              issuer: 'https://login.example.com',
              audience: ['api'],
              audienceClaim: 'aud',
              tokenUse: 'at+jwt',
              tenantClaim: 'tenant_id',
              rolesClaim: 'roles',
            },
          ]),
        }),
      },
    });
  });
});
