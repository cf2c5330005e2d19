import { type APIGatewayClient, FlushStageAuthorizersCacheCommand } from '@aws-sdk/client-api-gateway';
import { untilTaken } from './throttled-calls.ts';

/**
 * Makes API Gateway forget what authorizers answered, for all tenants of a stage: from then on every token is looked at again, so that
 * a suspension or another API key counts. Without it, answers are replayed for as long as the authorizer's TTL.
 *
 * @throws NotFoundException if there is no such stage
 */
export async function flushAuthorizerCache(
  client: APIGatewayClient,
  stage: { readonly restApiId: string; readonly stageName: string },
): Promise<void> {
  await untilTaken(() => client.send(new FlushStageAuthorizersCacheCommand(stage)));
}
