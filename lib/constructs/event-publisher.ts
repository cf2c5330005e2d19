import { CfnOutput, Duration } from 'aws-cdk-lib';
import { EventBus } from 'aws-cdk-lib/aws-events';
import { Construct } from 'constructs';
import { environmentKeys, eventBusName, publishTimeoutSeconds, stackOutputs } from '../../shared/contract/index.ts';
import { type ControlPlane, grantRegistry, registryEnvironment } from './control-services.ts';
import { grant } from './grant.ts';
import { RegularRun } from './regular-run.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';

/** The event bus of the stage, and the function that publishes to it what the control plane has written down. */
export class EventPublisher extends Construct {
  readonly service: ServiceFunction;
  readonly bus: EventBus;

  constructor(scope: Construct, id: string, plane: ControlPlane) {
    super(scope, id);
    const { stage } = plane.config;
    this.bus = new EventBus(this, 'Bus', {
      eventBusName: eventBusName(stage),
      description: `What becomes of tenants, stage ${stage}`,
    });
    this.service = new ServiceFunction(this, 'Publish', {
      name: 'publish-events',
      description: 'Publishes events of the control plane',
      ...stageSettings(plane.config),
      memoryMegabytes: 512,
      timeout: Duration.seconds(publishTimeoutSeconds),
      environment: { ...registryEnvironment(this, plane), [environmentKeys.eventBus]: this.bus.eventBusName },
    });
    grantRegistry(this.service, plane);
    grant(this.service, ['events:PutEvents'], [this.bus.eventBusArn]);
    new RegularRun(this, 'Sweep', this.service, plane.config);
    new CfnOutput(scope, stackOutputs.eventBusArn, { value: this.bus.eventBusArn });
  }

  /** Lets a function that has written events have them published at once, and tells it how. */
  wokenBy(waker: ServiceFunction): void {
    const { functionArn } = this.service.function;
    grant(waker, ['lambda:InvokeFunction'], [functionArn]);
    waker.function.addEnvironment(environmentKeys.publisherFunctionArn, functionArn);
  }
}
