import { Period, type Stage, type UsagePlan } from 'aws-cdk-lib/aws-apigateway';
import type { RestApi } from 'aws-cdk-lib/aws-apigateway';
import { type Plan, type PlanName, planNames, plans as plansOfContract } from '../../shared/contract/index.ts';

/**
 * One usage plan a plan, not one a tenant: a Region takes 300 of them. Each tenant has an API key of its own in it,
 * by which API Gateway throttles and counts, unless the plan's tenants share one; the authorizer names the key, clients never see it.
 */
export function addUsagePlans(
  restApi: RestApi,
  deployment: Stage,
  stage: string,
  plans: Readonly<Record<PlanName, Plan>> = plansOfContract,
): Readonly<Record<PlanName, UsagePlan>> {
  const entries = planNames.map((name) => {
    const plan = plans[name];
    const usagePlan = restApi.addUsagePlan(`Plan-${name}`, {
      name: `tenantry-${stage}-${name}`,
      description: `What each tenant of plan ${name} may ask for`,
      // What one tenant may ask for must not be all that those who share a key get together.
      ...(!plan.sharesApiKey && {
        throttle: { rateLimit: plan.requestsPerMinute / 60, burstLimit: plan.burst },
        quota: { limit: plan.requestsPerMonth, period: Period.MONTH },
      }),
      apiStages: [{ stage: deployment }],
    });
    return [name, usagePlan] as const;
  });
  return Object.fromEntries(entries) as Record<PlanName, UsagePlan>;
}
