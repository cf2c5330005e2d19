import { Duration, Stack } from 'aws-cdk-lib';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Schedule, ScheduleExpression, ScheduleTargetInput } from 'aws-cdk-lib/aws-scheduler';
import { LambdaInvoke } from 'aws-cdk-lib/aws-scheduler-targets';
import { Construct } from 'constructs';
import { type StageConfig, sweepMinutes } from '../config.ts';
import { grant } from './grant.ts';
import type { ServiceFunction } from './service-function.ts';

/** Runs a function again and again, see `sweepMinutes`. A run that fails is not repeated: the next one does its work. */
export class RegularRun extends Construct {
  constructor(scope: Construct, id: string, service: ServiceFunction, config: StageConfig) {
    super(scope, id);
    const maxEventAge = Duration.minutes(1);
    service.function.configureAsyncInvoke({ retryAttempts: 0, maxEventAge });
    const role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { 'aws:SourceAccount': Stack.of(this).account } },
      }),
      description: `Invokes a function regularly (${config.stage})`,
    });
    grant(role, ['lambda:InvokeFunction'], [service.function.functionArn]);
    new Schedule(this, 'Schedule', {
      schedule: ScheduleExpression.rate(Duration.minutes(sweepMinutes(config))),
      target: new LambdaInvoke(service.function, {
        // Left to itself, the target would let the role invoke every version too.
        role: role.withoutPolicyUpdates(),
        input: ScheduleTargetInput.fromObject({}),
        retryAttempts: 0,
        maxEventAge,
      }),
    });
  }
}
