import { Duration } from 'aws-cdk-lib';
import { Construct } from 'constructs';
import { environmentKeys } from '../../shared/contract/index.ts';
import { type ControlPlane, grantRegistry, registryEnvironment } from './control-services.ts';
import { RegularRun } from './regular-run.ts';
import type { OperationsFunction } from './operations-function.ts';
import { ServiceFunction, stageSettings } from './service-function.ts';

/**
 * Whoever works on an operation writes to it each minute or so: each page of rows and each file is told of, and so long are the longest
 * pauses between two tries. What takes longer is a call that hangs, and those give up before this.
 */
const restartAfter = Duration.minutes(5);

/** Starts operations again that nobody goes on with. */
export class OperationRestarter extends Construct {
  readonly service: ServiceFunction;

  constructor(scope: Construct, id: string, plane: ControlPlane, operations: OperationsFunction) {
    super(scope, id);
    this.service = new ServiceFunction(this, 'Restart', {
      name: 'restart-operations',
      description: 'Starts operations again that nobody goes on with',
      ...stageSettings(plane.config),
      memoryMegabytes: 512,
      environment: {
        ...registryEnvironment(this, plane),
        [environmentKeys.restartAfterSeconds]: String(restartAfter.toSeconds()),
      },
    });
    grantRegistry(this.service, plane);
    operations.startedBy(this.service);
    new RegularRun(this, 'Sweep', this.service, plane.config);
  }
}
