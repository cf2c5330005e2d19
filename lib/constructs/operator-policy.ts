import { Stack } from 'aws-cdk-lib';
import { ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import type { StageConfig } from '../config.ts';
import { acknowledge } from './acknowledge.ts';
import type { ServiceApi } from './service-api.ts';

export interface OperatorPolicyProps {
  readonly config: StageConfig;
  /** The API that the policy is a key to. */
  readonly api: ServiceApi;
}

/**
 * Makes AWS principals operators: attach it to the roles of pipelines and people who may do all that the control plane can. One who
 * may only look gets a policy of their own, with the same action on `…/<stage>/GET/*`.
 */
export class OperatorPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, { config, api }: OperatorPolicyProps) {
    const everyRoute = api.restApi.arnForExecuteApi('*', '/*', config.stage);
    super(scope, id, {
      description: `Calls the Tenantry control plane, stage ${config.stage}`,
      statements: [new PolicyStatement({ actions: ['execute-api:Invoke'], resources: [everyRoute] })],
    });
    acknowledge(this, {
      [`AwsSolutions-IAM5[Resource::${shownByChecks(this, everyRoute)}]`]:
        'Every route of this one API, at its one stage: that is what an operator is.',
    });
  }
}

/** An ARN as findings spell it: what is known at deploy only, by name. */
function shownByChecks(scope: Construct, arn: string): string {
  const { 'Fn::Join': join } = Stack.of(scope).resolve(arn) as { 'Fn::Join': [string, (string | { Ref: string })[]] };
  return join[1].map((part) => (typeof part === 'string' ? part : `<${part.Ref}>`)).join('');
}
