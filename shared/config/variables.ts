import * as z from 'zod';
import { environmentKeys, placementModels, planNames, quotaNames } from '../contract/index.ts';

/** An environment variable: its name, the shape of its text, and what to tell someone who got it wrong. */
export interface Variable<T> {
  readonly key: string;
  readonly schema: z.ZodType<T, string | undefined>;
  /** Completes the sentence "Set it to …". */
  readonly expected: string;
}

const json = <T extends z.ZodType>(schema: T) =>
  z
    .string({ error: 'is not set' })
    .transform((text, issues): unknown => {
      try {
        return JSON.parse(text);
      } catch {
        issues.addIssue({ code: 'custom', message: 'is not JSON' });
        return z.NEVER;
      }
    })
    .pipe(schema);

const text = () => z.string({ error: 'is not set' }).min(1, 'is empty');

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Keys of token issuers travel over TLS, but for an issuer on the same machine. */
const secureUrl = z.url().refine((value) => {
  const { protocol, hostname } = new URL(value);
  return protocol === 'https:' || (protocol === 'http:' && loopback.test(hostname));
}, 'must be an https URL (http only on this machine)');

const issuerSchema = z.object({
  /** Exactly the token's `iss`. */
  issuer: secureUrl,
  /** Where the issuer publishes its keys. @default <issuer>/.well-known/jwks.json */
  jwksUri: secureUrl.optional(),
  /** Audiences, or client ids, of which a token must carry one. */
  audience: z.array(z.string().min(1)).min(1),
  /** The claim that carries the audience: Cognito's access tokens use `client_id`. */
  audienceClaim: z.enum(['client_id', 'aud']).default('aud'),
  /** What tells an access token from an ID token: the claim `token_use`, the header `typ`, or nothing but its audience. */
  tokenUse: z.enum(['access', 'at+jwt', 'audience']).default('at+jwt'),
  /** A claim that users cannot write. */
  tenantClaim: z.string().min(1),
  rolesClaim: z.string().min(1).optional(),
});
/** A token issuer that the authorizer trusts. */
export type TrustedIssuer = Readonly<z.output<typeof issuerSchema>>;

const clusterSchema = z.object({ resourceArn: z.string().min(1), secretArn: z.string().min(1) });

const capacitySchema = z.object({
  models: z.array(z.enum(placementModels)),
  limits: z.partialRecord(z.enum(placementModels), z.int().positive()),
  drained: z.boolean(),
});

const cacheUrl = z
  .url({ protocol: /^rediss?$/, error: 'must be a redis:// or rediss:// URL' })
  .transform((value) => new URL(value));

/** Every variable that functions read, by the name that code uses. */
export const variables = {
  stage: {
    key: environmentKeys.stage,
    schema: text(),
    expected: 'the deployment stage, such as dev',
  },
  clusters: {
    key: environmentKeys.clusters,
    schema: json(z.record(z.string(), clusterSchema).refine((all) => Object.keys(all).length > 0, 'names no cluster')),
    expected: 'JSON by cluster name, such as {"main":{"resourceArn":"…","secretArn":"…"}}',
  },
  registry: {
    key: environmentKeys.registry,
    schema: json(z.object({ cluster: z.string().min(1), database: z.string().min(1) })),
    expected: 'JSON such as {"cluster":"main","database":"tenantry"}',
  },
  registrySecretArn: {
    key: environmentKeys.registrySecretArn,
    schema: text().optional(),
    expected: 'the ARN of the login of the registry, or leave it out to use that of its cluster',
  },
  signingSecretArn: {
    key: environmentKeys.signingSecretArn,
    schema: text(),
    expected: 'the ARN of the secret that holds the capability signing keys',
  },
  issuers: {
    key: environmentKeys.issuers,
    schema: json(z.array(issuerSchema).min(1)),
    expected: 'a JSON list such as [{"issuer":"https://…","audience":["…"],"tenantClaim":"tenant_id"}]',
  },
  cacheUrl: {
    key: environmentKeys.cacheUrl,
    schema: text().pipe(cacheUrl),
    expected: 'a URL such as rediss://host:6379?cluster=true',
  },
  limitsWhenUnavailable: {
    key: environmentKeys.limitsWhenUnavailable,
    schema: z
      .string()
      .default('open')
      .pipe(z.enum(['open', 'closed'], 'is neither open nor closed')),
    expected: 'open or closed, or leave it out to admit requests while the cache is away',
  },
  baseDomains: {
    key: environmentKeys.baseDomains,
    schema: z
      .string()
      .default('[]')
      .pipe(json(z.array(z.string().min(1)))),
    expected: 'a JSON list of domains such as ["api.example.com"], or leave it out',
  },
  allowedOrigins: {
    key: environmentKeys.allowedOrigins,
    schema: z
      .string()
      .default('[]')
      .pipe(json(z.array(z.string().min(1)))),
    expected: 'a JSON list of origins such as ["https://app.example.com"], or leave it out',
  },
  operationsFunctionArn: {
    key: environmentKeys.operationsFunctionArn,
    schema: text(),
    expected: 'the ARN of the operations function, with a version or an alias',
  },
  tenantApi: {
    key: environmentKeys.tenantApi,
    schema: json(
      z.object({
        restApiId: z.string().min(1),
        stageName: z.string().min(1),
        usagePlanIds: z.record(z.enum(planNames), z.string().min(1)),
      }),
    ),
    expected: 'JSON such as {"restApiId":"…","stageName":"…","usagePlanIds":{"free":"…","pro":"…","enterprise":"…"}}',
  },
  eventBus: { key: environmentKeys.eventBus, schema: text(), expected: 'the name of an event bus' },
  publisherFunctionArn: {
    key: environmentKeys.publisherFunctionArn,
    schema: text(),
    expected: 'the ARN of the function that publishes events',
  },
  restartAfterSeconds: {
    key: environmentKeys.restartAfterSeconds,
    schema: text().pipe(z.coerce.number<string>().int().min(0)),
    expected: 'a number of seconds, such as 300',
  },
  lateAnswerSeconds: {
    key: environmentKeys.lateAnswerSeconds,
    schema: text().pipe(z.coerce.number<string>().int().min(0)),
    expected: 'a number of seconds, such as 30',
  },
  quotaLimits: {
    key: environmentKeys.quotaLimits,
    schema: z
      .string()
      .default('{}')
      .pipe(json(z.partialRecord(z.enum(quotaNames), z.int().positive()))),
    expected: 'JSON such as {"usagePlans":600}, or leave it out',
  },
  clusterCapacity: {
    key: environmentKeys.clusterCapacity,
    schema: json(z.record(z.string(), capacitySchema)),
    expected:
      'JSON by cluster name, such as {"main":{"models":["pool","bridge"],"limits":{"bridge":1000},"drained":false}}',
  },
  exportBucket: {
    key: environmentKeys.exportBucket,
    schema: text(),
    expected: 'the name of the bucket that exports are in',
  },
  tenantCacheFunctionArn: {
    key: environmentKeys.tenantCacheFunctionArn,
    schema: text(),
    expected: 'the ARN of the function that purges the cache of a tenant',
  },
  migrationFunctionArn: {
    key: environmentKeys.migrationFunctionArn,
    schema: text(),
    expected: 'the ARN of the function that makes and drops databases',
  },
  fleetFunctionArn: {
    key: environmentKeys.fleetFunctionArn,
    schema: text(),
    expected: 'the ARN of the function that goes on with a fleet, with an alias',
  },
  roleSecretArns: {
    key: environmentKeys.roleSecretArns,
    schema: json(z.record(z.string(), z.string().min(1))),
    expected: 'JSON by role name of login secret ARNs',
  },
} satisfies Record<string, Variable<unknown>>;
