import { type EventBus, Rule } from 'aws-cdk-lib/aws-events';
import { LambdaFunction } from 'aws-cdk-lib/aws-events-targets';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { eventSource, tenantChangeEvents } from '../../shared/contract/index.ts';

/**
 * Events of tenants that are others now reach the function in the cache's network. What fails is tried again: delivering for a day, the
 * function twice.
 */
export class CacheInvalidation extends Construct {
  constructor(scope: Construct, id: string, eventBus: EventBus, tenantCache: IFunction) {
    super(scope, id);
    new Rule(this, 'Rule', {
      eventBus,
      description: 'What the cache knows of a tenant is looked at anew',
      eventPattern: { source: [eventSource], detailType: [...tenantChangeEvents] },
      targets: [new LambdaFunction(tenantCache)],
    });
  }
}
