import { type CfnElement, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Alias, type IFunction, type IVersion } from 'aws-cdk-lib/aws-lambda';
import type { Construct } from 'constructs';
import { acknowledge } from './acknowledge.ts';
import type { ServiceFunction } from './service-function.ts';

/** What starts executions of a durable function, and what has to be there before. */
export interface DurableAlias {
  /** An execution runs to its end in the version with which it began, whatever is deployed meanwhile. */
  readonly live: IFunction;
  /** Lets executions write down what is done, and read it again. */
  readonly durability: Policy;
}

/** The alias `live` of a durable function, which may keep what its executions have done. */
export function durableAlias(scope: Construct, service: ServiceFunction): DurableAlias {
  const version = service.function.currentVersion as IVersion;
  const live = new Alias(scope, 'Live', { aliasName: 'live', version }) as IFunction;
  // A policy of its own: the function waits for those of its role, and this one names the function.
  const durability = new Policy(scope, 'Durability', {
    statements: [
      new PolicyStatement({
        actions: ['lambda:CheckpointDurableExecution', 'lambda:GetDurableExecutionState'],
        resources: [`${service.function.functionArn}:*`],
      }),
    ],
    roles: [service.role],
  });
  const functionId = Stack.of(scope).getLogicalId(service.function.node.defaultChild as CfnElement);
  acknowledge(durability, {
    [`AwsSolutions-IAM5[Resource::<${functionId}.Arn>:*]`]: 'Executions of every version of this one function.',
  });
  return { live, durability };
}
