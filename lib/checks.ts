import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks } from 'cdk-nag';

/**
 * Makes synthesis check the stacks against the AwsSolutions rules, and fail for every finding that is not acknowledged
 * where it is caused. Apart from createApp, as loading the rules takes longer than synthesis without them.
 */
export function addChecks(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
}
