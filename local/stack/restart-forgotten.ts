import { environmentKeys } from '../../shared/contract/index.ts';
import type { LambdaApi } from '../lambda-api/server.ts';
import type { Deployment } from '../template/deployment.ts';
import { membersOf } from '../untyped.ts';

/**
 * Has operations started again that an earlier run of the stack has begun: their executions ended with its processes, and nobody here
 * knows of them.
 *
 * @param startedAt when this run began
 */
export async function restartForgotten(
  { resources, resolver }: Deployment,
  lambda: LambdaApi,
  startedAt: Date,
): Promise<void> {
  const restarter = resources.find(({ type, properties }) => {
    const variables = membersOf(membersOf(properties['Environment']).get('Variables'));
    return type === 'AWS::Lambda::Function' && variables.has(environmentKeys.restartAfterSeconds);
  });
  if (!restarter) return;
  await lambda.invokeEvent(resolver.attribute(restarter, 'Arn'), { untouchedSince: startedAt.toISOString() });
}
