import { Match, type Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Resource, synthesize, type Synthesized, templateOf } from './synthesize.ts';

let synthesized: Synthesized;
let identity: Template;
beforeAll(() => {
  synthesized = synthesize();
  identity = templateOf(synthesized, 'Identity');
});
afterAll(() => synthesized[Symbol.dispose]());

describe('the user pool', () => {
  it('sets the tenant of a user once and for all', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPool', {
      Schema: Match.arrayWith([Match.objectLike({ Name: 'tenant_id', Mutable: false })]),
    });
  });

  it('lets no client write the tenant or the roles of its user', () => {
    const clients = Object.values(identity.findResources('AWS::Cognito::UserPoolClient') as Record<string, Resource>);

    expect(clients).toHaveLength(1);
    for (const { Properties } of clients) {
      // Without the list, a client may write every mutable attribute.
      expect(Properties['WriteAttributes']).toEqual(expect.any(Array));
      for (const attribute of Properties['WriteAttributes'] as string[]) expect(attribute).not.toMatch(/^custom:/);
    }
  });

  it('admits only whom an operator adds, and is kept when the stack goes', () => {
    identity.hasResource('AWS::Cognito::UserPool', {
      DeletionPolicy: 'Retain',
      Properties: {
        AdminCreateUserConfig: { AllowAdminCreateUserOnly: true },
        DeletionProtection: 'ACTIVE',
        UserPoolTier: 'ESSENTIALS',
      },
    });
  });

  it('writes the claims of access tokens with a trigger of version 2', () => {
    identity.hasResourceProperties('AWS::Cognito::UserPool', {
      LambdaConfig: { PreTokenGenerationConfig: { LambdaVersion: 'V2_0', LambdaArn: Match.anyValue() } },
    });
  });

  it('is the issuer that the authorizer trusts, for access tokens of its client', () => {
    const application = JSON.stringify(templateOf(synthesized, 'Application').toJSON());

    expect(application).toContain('cognito-idp.');
    expect(application).toMatch(/\\"audienceClaim\\\\":\\\\"client_id|audienceClaim[\\":]+client_id/);
    expect(application).toMatch(/tokenUse[\\":]+access/);
  });
});
