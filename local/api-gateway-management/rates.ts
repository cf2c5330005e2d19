import type { Throttle } from '../gateway/definition.ts';
import { TokenBucket } from '../gateway/token-bucket.ts';
import { tooManyRequests } from './errors.ts';
import type { OperationName } from './operations.ts';

export interface ManagementRates {
  /** All calls together. */
  readonly total: Throttle;
  /** Operations that have a limit of their own besides. */
  readonly operations: Partial<Readonly<Record<OperationName, Throttle>>>;
}

/**
 * What an account may ask of API Gateway's management API, in calls a second.
 * https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html#api-gateway-control-service-limits-table;
 * the bursts of single operations are not documented.
 */
export const awsRates: ManagementRates = {
  total: { rate: 10, burst: 40 },
  operations: { CreateApiKey: { rate: 5, burst: 5 }, DeleteApiKey: { rate: 5, burst: 5 } },
};

/** Counts calls against the rates. The function it returns throws TooManyRequestsException for a call above them. */
export function rateLimiter({ total, operations }: ManagementRates): (operation: OperationName) => void {
  const now = Date.now();
  const buckets = new Map(
    Object.entries(operations).map(([name, throttle]) => [name, { throttle, bucket: new TokenBucket(throttle, now) }]),
  );
  const all = { throttle: total, bucket: new TokenBucket(total, now) };
  return (operation) => {
    for (const limit of [buckets.get(operation), all]) {
      if (limit && !limit.bucket.take(Date.now())) throw tooManyRequests(1_000 / limit.throttle.rate);
    }
  };
}
