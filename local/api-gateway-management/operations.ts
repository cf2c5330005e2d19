import * as z from 'zod';
import { AwsAnswer } from '../aws/endpoint.ts';
import type { ApiKey, ApiKeyStore } from '../gateway/api-keys.ts';
import type { ApiDefinition } from '../gateway/definition.ts';
import { managementError } from './errors.ts';
import { pageOf } from './pages.ts';

/** What the calls are about. */
export interface Managed {
  readonly keys: ApiKeyStore;
  readonly apis: readonly Pick<ApiDefinition, 'id' | 'stage' | 'usagePlans'>[];
  /** Empties the authorizer caches of a stage. */
  readonly flushAuthorizers: (apiId: string, stage: string) => void;
}

export interface Call {
  /** The variable parts of the path, in order. */
  readonly ids: readonly string[];
  readonly query: URLSearchParams;
  /** Parsed JSON; undefined without a body. */
  readonly body: unknown;
}

/** API keys that an account may have in a Region. */
const keyLimit = 10_000;

const createApiKeyRequest = z.strictObject({
  name: z.string().max(1024).default(''),
  // As on AWS: a key that does not say so cannot be used.
  enabled: z.boolean().default(false),
  value: z
    .string()
    .min(20, 'API Key value should be at least 20 characters')
    .max(128, 'API Key value exceeds maximum size of 128 characters')
    .optional(),
});

const createUsagePlanKeyRequest = z.strictObject({
  keyId: z.string(),
  keyType: z.literal('API_KEY', 'Invalid key type: the only one is API_KEY'),
});

type Operation = (managed: Managed, call: Call) => unknown;

/** The calls that are known here, by their names. */
export const operations = {
  CreateApiKey({ keys }, { body }) {
    const { name, enabled, value } = parse(createApiKeyRequest, body);
    if (value !== undefined && keys.byValue(value))
      throw managementError('ConflictException', 'API Key already exists');
    if (keys.list().length >= keyLimit) {
      throw managementError('LimitExceededException', `The account has ${keyLimit} API keys, which is its limit.`);
    }
    return new AwsAnswer(201, described(keys.add(name, undefined, value, enabled), true));
  },

  GetApiKeys({ keys }, { query }) {
    const page = pageOf(named(keys.list(), query), query);
    const withValues = query.get('includeValues') === 'true';
    return { ...page, item: page.item.map((key) => described(key, withValues)) };
  },

  GetApiKey({ keys }, { ids: [id], query }) {
    return described(keyOf(keys, id), query.get('includeValue') === 'true');
  },

  DeleteApiKey({ keys }, { ids: [id] }) {
    keys.remove(keyOf(keys, id));
    return new AwsAnswer(202);
  },

  GetUsagePlans({ keys, apis }, { query }) {
    const keyId = query.get('keyId');
    const ofKey = keyId === null ? undefined : keyOf(keys, keyId);
    const plans = usagePlansOf(apis).filter(({ id }) => !ofKey || ofKey.usagePlanId === id);
    return pageOf(plans, query);
  },

  CreateUsagePlanKey({ keys, apis }, { ids: [planId], body }) {
    const { keyId } = parse(createUsagePlanKeyRequest, body);
    const plan = usagePlanOf(apis, planId);
    const key = keyOf(keys, keyId);
    if (key.usagePlanId !== undefined) {
      throw managementError('ConflictException', `API Key ${key.id} is in a usage plan of this stage already.`);
    }
    return new AwsAnswer(201, describedInPlan(keys.setUsagePlan(key, plan.id)));
  },

  GetUsagePlanKeys({ keys, apis }, { ids: [planId], query }) {
    const plan = usagePlanOf(apis, planId);
    const inPlan = keys.list().filter(({ usagePlanId }) => usagePlanId === plan.id);
    const page = pageOf(named(inPlan, query), query);
    return { ...page, item: page.item.map(describedInPlan) };
  },

  DeleteUsagePlanKey({ keys, apis }, { ids: [planId, keyId] }) {
    const plan = usagePlanOf(apis, planId);
    const key = keyOf(keys, keyId);
    if (key.usagePlanId !== plan.id) {
      throw managementError('NotFoundException', 'Invalid Usage Plan Key identifier specified');
    }
    keys.setUsagePlan(key, undefined);
    return new AwsAnswer(202);
  },

  FlushStageAuthorizersCache({ apis, flushAuthorizers }, { ids: [apiId, stage] }) {
    const api = apis.find((each) => each.id === apiId && each.stage === stage);
    if (!api) throw managementError('NotFoundException', 'Invalid stage identifier specified');
    flushAuthorizers(api.id, api.stage);
    return new AwsAnswer(202);
  },
} as const satisfies Readonly<Record<string, Operation>>;

export type OperationName = keyof typeof operations;

function keyOf(keys: ApiKeyStore, id = ''): ApiKey {
  const key = keys.byId(id);
  if (key) return key;
  throw managementError('NotFoundException', 'Invalid API Key identifier specified');
}

function usagePlansOf(apis: Managed['apis']) {
  return apis.flatMap((api) =>
    api.usagePlans.map(({ id, name, throttle, quota }) => ({
      id,
      name,
      apiStages: [{ apiId: api.id, stage: api.stage }],
      throttle: throttle && { rateLimit: throttle.rate, burstLimit: throttle.burst },
      quota: quota && { ...quota, offset: 0 },
    })),
  );
}

function usagePlanOf(apis: Managed['apis'], id = ''): { id: string } {
  const plan = usagePlansOf(apis).find((each) => each.id === id);
  if (plan) return plan;
  throw managementError('NotFoundException', 'Invalid Usage Plan identifier specified');
}

/** How AWS matches names is not documented; here from their beginning, so that whoever wants one name has to compare. */
function named(keys: readonly ApiKey[], query: URLSearchParams): ApiKey[] {
  const prefix = query.get('name') ?? '';
  return keys.filter(({ name }) => name.startsWith(prefix));
}

function described({ id, name, value, enabled, createdAt }: ApiKey, withValue: boolean) {
  const times = { createdDate: createdAt, lastUpdatedDate: createdAt };
  return { id, name, ...(withValue && { value }), enabled, ...times, stageKeys: [] };
}

function describedInPlan({ id, name }: ApiKey) {
  return { id, type: 'API_KEY', name };
}

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body ?? {});
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, message }) => [...path, message].join(': '));
  throw managementError('BadRequestException', problems.join('; '));
}
