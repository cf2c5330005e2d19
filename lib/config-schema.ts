import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import * as z from 'zod';
import { authorizerCacheSeconds, mainCluster, quotaNames } from '../shared/contract/index.ts';
import { clusterSchema } from './cluster-schema.ts';

/** Stands in the identifier of an RDS cluster, which has no two hyphens in a row and none at its end. */
const nameInIdentifiers = /^[a-z][a-z0-9]*(-[a-z0-9]+)*$/;

const issuerSchema = z.strictObject({
  /** As in the tokens' `iss`. */
  issuer: z.url('give the URL of the issuer, as in the "iss" of its tokens'),
  /** @default the issuer's /.well-known/jwks.json */
  jwksUri: z.url('give the URL of the key set').optional(),
  audience: z.array(z.string().min(1)).min(1, 'name at least one client id, else tokens for other services pass'),
  /** Claim that holds the audience: Cognito's access tokens use `client_id`. @default 'aud' */
  audienceClaim: z.enum(['aud', 'client_id']).default('aud'),
  /**
   * What tells access tokens of this issuer from its ID tokens, which let nobody in: `access` is what the claim `token_use` says (Cognito),
   * `at+jwt` what the header `typ` says (RFC 9068). `audience` if the issuer marks neither: then no client id may be among the audiences.
   * @default 'at+jwt'
   */
  tokenUse: z.enum(['access', 'at+jwt', 'audience'], 'use access, at+jwt or audience').default('at+jwt'),
  /** Must be a claim that users cannot change themselves. @default 'tenant_id' */
  tenantClaim: z.string().min(1).default('tenant_id'),
  /** @default 'roles' */
  rolesClaim: z.string().min(1).default('roles'),
});

const logRetentions = Object.values(RetentionDays).filter(
  (days) => typeof days === 'number' && days !== RetentionDays.INFINITE,
);
const logRetentionError = `CloudWatch keeps logs for ${logRetentions.join(', ')} days; use one of these`;
const logRetentionDays = z
  .number()
  .pipe(z.enum(RetentionDays, logRetentionError))
  .refine((days) => days !== RetentionDays.INFINITE, logRetentionError);

/** The origin of a URL, as browsers spell it in the header `Origin`. */
const originOf = (url: string): string | undefined =>
  /^https?:/i.test(url) && URL.canParse(url) ? new URL(url).origin : undefined;

function originProblem({ input }: { readonly input?: unknown }): string {
  const origin = originOf(String(input));
  return origin
    ? `this is not how browsers name it, use ${origin}`
    : 'give an origin such as https://app.example.com, or *';
}

const cacheSchema = z.strictObject({
  /** @default 5 */
  maxDataGigabytes: z.int().min(1, 'use 1 to 5000 GB').max(5000, 'use 1 to 5000 GB').default(5),
  /** ElastiCache processing units a second. @default 10000 */
  maxEcpuPerSecond: z.int().min(1000, 'use 1000 or more').max(15_000_000, 'use 15000000 or less').default(10_000),
  /** Snapshots kept; 0 for none, as all in it can be computed again. @default 0 */
  snapshotRetentionDays: z.int().min(0).max(35, 'use 0 to 35 days').default(0),
});

const limitsSchema = z.strictObject({
  /**
   * What becomes of requests while the cache, which counts them, does not answer: `open` admits them as far as each function can count by
   * itself, `closed` answers 503. @default 'open'
   */
  whenUnavailable: z.enum(['open', 'closed'], 'use open or closed').default('open'),
});

const exportsSchema = z.strictObject({
  /** Days for which exports of tenants are kept, also of those that are gone. @default 90 */
  retentionDays: z.int().min(1, 'use 1 day or more').max(3650, 'use 3650 days or less').default(90),
});

const apiSchema = z.strictObject({
  /** Requests a second of all tenants together, before the plans' own limits. @default 1000 */
  rateLimit: z.number().positive('use more than 0 requests a second').default(1000),
  /** @default 500 */
  burstLimit: z.int().positive('use 1 or more').default(500),
  /**
   * Whether this stage sets the role with which API Gateway writes logs. It is one setting for an account and Region:
   * let one stage own it. @default true
   */
  ownsAccountLogRole: z.boolean().default(true),
});

const alarmsSchema = z.strictObject({
  /** Gets an e-mail at each alarm, after confirming the subscription. @default nobody */
  email: z.email('give an e-mail address').optional(),
  /** Topic of your own that alarms notify. @default a topic of the stack when there is an e-mail address */
  topicArn: z
    .string()
    .regex(/^arn:[^:]+:sns:[^:]+:\d{12}:.+$/, 'give the ARN of an SNS topic')
    .optional(),
  /** Milliseconds that 99 of 100 requests should stay below. @default 2000 */
  p99LatencyMs: z.number().positive().default(2000),
});

/** What a stage may set. Everything but the name has a default. */
export const stageConfigSchema = z.strictObject({
  stage: z
    .string()
    .max(16, 'use 16 characters or less')
    .regex(nameInIdentifiers, 'use lower-case letters, digits and single hyphens, a letter first and no hyphen last'),
  /** @default the account of the credentials that deploy */
  account: z
    .string()
    .regex(/^\d{12}$/, 'an account has 12 digits; leave it out to deploy to that of your credentials')
    .optional(),
  /** @default the Region of the credentials that deploy */
  region: z
    .string()
    .regex(/^[a-z]{2}(-[a-z]+)+-\d$/, 'give a Region such as eu-central-1')
    .optional(),
  /** Zones of the network. @default 2 */
  availabilityZones: z.int().min(2, 'Aurora needs at least 2 zones').max(3, 'use 2 or 3 zones').default(2),
  /** Aurora clusters by name. The one called `main` holds the registry and the pool. @default one, `main` */
  clusters: z
    .record(
      z
        .string()
        .max(20, 'name clusters with 20 characters or less')
        .regex(
          nameInIdentifiers,
          'name clusters with lower-case letters, digits and single hyphens, a letter first and no hyphen last',
        ),
      clusterSchema,
    )
    .refine(
      (clusters) => mainCluster in clusters,
      `declare the cluster "${mainCluster}": it holds the registry of tenants`,
    )
    .refine(
      (clusters) => Object.values(clusters).some(({ models }) => models.includes('pool')),
      'let a cluster take the model pool, which tenants get unless another one is asked for',
    )
    .prefault({ [mainCluster]: {} }),
  /** Trusted issuers of tokens. @default a Cognito user pool of the stack */
  issuers: z.array(issuerSchema).default([]),
  /** Domains below which a subdomain names a tenant. @default none */
  baseDomains: z.array(z.hostname('give a domain such as api.example.com')).default([]),
  /**
   * Origins of browser applications that may call the API, or `*`. API Gateway's own answers, which say nothing of a tenant, can name
   * one: with several here, any origin may read those. @default none
   */
  corsAllowedOrigins: z
    .array(z.string().refine((text) => text === '*' || originOf(text) === text, { error: originProblem }))
    .refine((origins) => !origins.includes('*') || origins.length === 1, 'use * alone, it allows every origin')
    .default([]),
  /** @default 30 */
  logRetentionDays: logRetentionDays.default(RetentionDays.ONE_MONTH),
  /** Seconds for which API Gateway replays an authorizer's answer. */
  authorizerCacheSeconds: z
    .int()
    .min(0, 'use 0 (no cache) or more')
    .max(authorizerCacheSeconds, `capabilities are made for at most ${authorizerCacheSeconds} s of replay; use less`)
    .default(authorizerCacheSeconds),
  /**
   * Minutes between two looks for events and operations that were left behind. Whatever is asked for is begun at once; this is for what
   * was interrupted. Each look wakes a database that pauses. @default 1, and 60 if the main cluster pauses
   */
  sweepMinutes: z.int().min(1, 'use 1 to 720 minutes').max(720, 'use 1 to 720 minutes').optional(),
  /**
   * Seconds after an operation in which authorizers may still answer what they read before it: then all are asked once more. Their function
   * has 28 s. @default 30
   */
  lateAnswerSeconds: z.int().min(0, 'use 0 to 300 seconds').max(300, 'use 0 to 300 seconds').default(30),
  /** Quotas that AWS has raised for the account, and advice of ours that a team knows better. @default those of shared/contract/quotas.ts */
  quotas: z.partialRecord(z.enum(quotaNames), z.int().positive('use 1 or more')).default({}),
  cache: cacheSchema.prefault({}),
  limits: limitsSchema.prefault({}),
  api: apiSchema.prefault({}),
  exports: exportsSchema.prefault({}),
  alarms: alarmsSchema.prefault({}),
});

export type StageConfigInput = z.input<typeof stageConfigSchema>;
export type StageConfig = Readonly<z.output<typeof stageConfigSchema>>;
export type ClusterConfig = StageConfig['clusters'][string];
export type IssuerConfig = StageConfig['issuers'][number];
