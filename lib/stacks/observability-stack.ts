import { Stack, type StackProps } from 'aws-cdk-lib';
import type { Construct } from 'constructs';
import { services } from '../../shared/contract/index.ts';
import type { StageConfig } from '../config.ts';
import { alarmTopic } from '../constructs/alarm-topic.ts';
import { OperationsAlarms } from '../constructs/operations-alarms.ts';
import { type Observed, OperationsDashboard } from '../constructs/operations-dashboard.ts';
import type { ApplicationStack } from './application-stack.ts';
import type { ControlPlaneStack } from './control-plane-stack.ts';
import type { DataStack } from './data-stack.ts';
import type { IdentityStack } from './identity-stack.ts';

export interface ObservabilityStackProps extends StackProps {
  readonly config: StageConfig;
  readonly data: DataStack;
  readonly application: ApplicationStack;
  readonly controlPlane: ControlPlaneStack;
  /** @default none: the stage's configuration names issuers */
  readonly identity: IdentityStack | undefined;
}

/** What the on-call engineer looks at, and what wakes them. */
export class ObservabilityStack extends Stack {
  constructor(scope: Construct, id: string, props: ObservabilityStackProps) {
    super(scope, id, props);
    const { config, data, application, controlPlane, identity } = props;
    const observed: Observed = {
      stage: config.stage,
      api: application.api,
      functions: { ...application.functions, ...controlPlane.functions, ...identity?.functions },
      fleet: data.migrations.fleet,
      metricLogs: Object.entries(application.functions)
        .filter(([name]) => name in services)
        .map(([, service]) => service.logGroup),
      clusters: data.clusters,
      cache: data.cache,
    };
    new OperationsDashboard(this, 'Operations', observed);
    new OperationsAlarms(this, 'Alarms', { ...observed, config, topic: alarmTopic(this, config.alarms) });
  }
}
