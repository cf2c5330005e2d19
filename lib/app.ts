import { App, Tags } from 'aws-cdk-lib';
import cdkJson from '../cdk.json' with { type: 'json' };
import { stageTag } from '../shared/contract/index.ts';
import type { StageConfig } from './config.ts';
import { ApplicationStack } from './stacks/application-stack.ts';
import { ControlPlaneStack } from './stacks/control-plane-stack.ts';
import { DataStack } from './stacks/data-stack.ts';
import { IdentityStack } from './stacks/identity-stack.ts';
import { NetworkStack } from './stacks/network-stack.ts';
import { ObservabilityStack } from './stacks/observability-stack.ts';

export interface AppOptions {
  /** Folder that templates and assets are written to. @default `cdk.out`, or what the CDK's command line asks for */
  readonly outdir?: string;
  /** Whether synthesis validates the templates, and fails for what CloudFormation would refuse. @default true */
  readonly validate?: boolean;
}

/** The CDK app of one stage: its stacks, not yet synthesized. */
export function createApp(config: StageConfig, options: AppOptions = {}): App {
  const app = new App({
    // The command line passes cdk.json's context on; without it, the same flags must hold.
    context: cdkJson.context,
    builtinCloudFormationValidation: options.validate ?? true,
    ...(options.outdir !== undefined && { outdir: options.outdir }),
  });
  addStacks(app, config);
  return app;
}

function addStacks(app: App, config: StageConfig): void {
  const id = (name: string) => `Tenantry-${config.stage}-${name}`;
  const env = {
    ...(config.account !== undefined && { account: config.account }),
    ...(config.region !== undefined && { region: config.region }),
  };
  const network = new NetworkStack(app, id('Network'), { config, env });
  const data = new DataStack(app, id('Data'), { config, env, network });
  const identity = config.issuers.length > 0 ? undefined : new IdentityStack(app, id('Identity'), { config, env });
  const issuers = identity?.issuers ?? config.issuers;
  const application = new ApplicationStack(app, id('Application'), { config, env, network, data, issuers });
  // Code that expects a new column is deployed after the migration that adds it.
  application.addStackDependency(data);
  const controlPlane = new ControlPlaneStack(app, id('ControlPlane'), { config, env, data, application, issuers });
  // Also sets the role by which API Gateway writes the logs of either.
  controlPlane.addStackDependency(application);
  new ObservabilityStack(app, id('Observability'), { config, env, data, application, controlPlane, identity });
  Tags.of(app).add(stageTag, config.stage);
}
