import { CfnOutput, Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import type { IssuerConfig, StageConfig } from '../config.ts';
import { type ServiceFunction, stageSettings } from '../constructs/service-function.ts';
import { TenantUserPool } from '../constructs/tenant-user-pool.ts';

export interface IdentityStackProps extends StackProps {
  readonly config: StageConfig;
}

/** Who issues tokens, unless the stage's configuration names issuers: a Cognito user pool. */
export class IdentityStack extends Stack {
  readonly issuers: readonly IssuerConfig[];
  readonly functions: Readonly<Record<string, ServiceFunction>>;

  constructor(scope: Construct, id: string, props: IdentityStackProps) {
    super(scope, id, { terminationProtection: true, ...props });
    const users = new TenantUserPool(this, 'Users', stageSettings(props.config));
    this.issuers = [users.issuer];
    this.functions = { 'pre-token': users.preToken };
    new CfnOutput(this, 'UserPoolId', { value: users.userPool.userPoolId });
    new CfnOutput(this, 'UserPoolClientId', { value: users.client.userPoolClientId });
  }
}
