import { Duration, Stack } from 'aws-cdk-lib';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import { Trigger } from 'aws-cdk-lib/triggers';
import { Construct } from 'constructs';
import { type DatabaseRole, environmentKeys } from '../../shared/contract/index.ts';
import { type ClusterReferences, grantDataApi, grantReadValue } from './data-api-access.ts';
import { clustersVariable, registryVariable } from './function-environment.ts';
import { ServiceFunction, type StageSettings } from './service-function.ts';

export interface MigrationRunnerProps extends StageSettings {
  readonly clusters: ClusterReferences;
  readonly logins: Readonly<Record<DatabaseRole, ISecret>>;
  readonly signingKey: ISecret;
  /** What must be there before statements can run. */
  readonly after: readonly Construct[];
}

/** Longest run that Lambda allows. A run that does not finish can be repeated: it goes on where it stopped. */
const timeout = Duration.minutes(15);

/**
 * Brings every database up to date while the stack is deployed: a failing migration fails the deployment,
 * and a new or changed file in migrations/ changes the function and thereby runs it again.
 */
export class MigrationRunner extends Construct {
  readonly service: ServiceFunction;

  constructor(scope: Construct, id: string, props: MigrationRunnerProps) {
    super(scope, id);
    this.service = new ServiceFunction(this, 'Migrate', {
      name: 'migrate',
      description: 'Creates roles and applies migrations',
      stage: props.stage,
      logRetention: props.logRetention,
      memoryMegabytes: 512,
      timeout,
      folders: ['migrations'],
      environment: this.environment(props),
    });
    grantDataApi(this.service, props.clusters);
    const secrets = Object.values(props.clusters).map((cluster) => cluster.masterSecret);
    for (const secret of [...secrets, ...Object.values(props.logins), props.signingKey])
      grantReadValue(this.service, secret);
    new Trigger(this, 'OnDeploy', {
      handler: this.service.function,
      timeout,
      executeAfter: [...props.after, this.service.role],
    });
  }

  private environment(props: MigrationRunnerProps): Record<string, string> {
    const roleSecretArns = Object.entries(props.logins).map(([role, secret]) => [role, secret.secretArn]);
    return {
      ...clustersVariable(this, props.clusters, (cluster) => cluster.masterSecret),
      ...registryVariable,
      [environmentKeys.roleSecretArns]: Stack.of(this).toJsonString(Object.fromEntries(roleSecretArns)),
      [environmentKeys.signingSecretArn]: props.signingKey.secretArn,
    };
  }
}
