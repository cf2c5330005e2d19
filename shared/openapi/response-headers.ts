import * as z from 'zod';
import type { ErrorCode } from '../errors/index.ts';
import type { ApiDescription, RouteDescription } from '../http/index.ts';

/** A header as the document describes it. */
interface Header {
  readonly schema: z.ZodType;
  readonly description: string;
}
type Headers = Readonly<Record<string, Header>>;

const count = z.int().meta({ override: { type: 'integer', minimum: 0 } });

const ofFunctions: Headers = {
  'Cache-Control': { schema: z.literal('no-store'), description: 'Tenant data is nobody’s to keep.' },
  'X-Content-Type-Options': { schema: z.literal('nosniff'), description: 'The body is what its type says it is.' },
  'X-Request-Id': { schema: z.string(), description: 'Id of the request, by which its log is found.' },
};

/** Where the tenant stands with what its plan grants. */
const ofLimits: Headers = {
  'X-RateLimit-Limit': { schema: count, description: 'Requests that may come at once.' },
  'X-RateLimit-Remaining': { schema: count, description: 'Requests that may still come now.' },
  'X-RateLimit-Reset': { schema: count, description: 'Seconds until the full number may come at once again.' },
  'RateLimit-Policy': {
    schema: z.string().regex(/^"[^"]+";q=\d+;w=\d+(, "[^"]+";q=\d+;w=\d+)*$/),
    description:
      'IETF draft: the plan, its requests `q`, and the seconds `w` in which they are granted anew. After it the same of the route, if that has a limit of its own.',
  },
  RateLimit: {
    schema: z.string().regex(/^"[^"]+";r=\d+;t=\d+(, "[^"]+";r=\d+;t=\d+)*$/),
    description:
      'IETF draft: the plan, the requests left `r`, and the seconds `t` until there are more, 0 if those are all. After it the same of the route.',
  },
};

const replayed: Headers = {
  'Idempotency-Replayed': { schema: z.literal('true'), description: 'The answer is that of an earlier attempt.' },
};
const whereItIs: Headers = {
  Location: { schema: z.string(), description: 'Where to ask for what was made.' },
};
const retryAfter: Headers = {
  'Retry-After': { schema: count, description: 'Seconds after which trying again makes sense.' },
};
const authenticate: Headers = {
  'WWW-Authenticate': { schema: z.literal('Bearer'), description: 'How to authenticate.' },
};

/** Codes that always come with `Retry-After`, and those that may. */
const alwaysRetried: readonly ErrorCode[] = ['rate-limited'];
const sometimesRetried: readonly ErrorCode[] = [
  ...alwaysRetried,
  'idempotency-key-in-use',
  'tenant-moving',
  'database-unavailable',
];

/** Headers of a success. */
export function successHeaders({ audience }: ApiDescription, { idempotent, location }: RouteDescription): z.ZodObject {
  return z.object({
    ...always(ofFunctions),
    ...(audience === 'tenant' && always(ofLimits)),
    ...(idempotent && audience === 'tenant' && sometimes(replayed)),
    ...(location !== undefined && always(whereItIs)),
  });
}

/**
 * Headers of a problem with one of `codes`. Most are optional: where API Gateway itself refuses no function has set any, and a tenant's
 * limit is looked at only once the tenant is known.
 */
export function problemHeaders({ audience }: ApiDescription, codes: readonly ErrorCode[]): z.ZodObject {
  return z.object({
    ...sometimes(ofFunctions),
    ...(audience === 'tenant' && sometimes(ofLimits)),
    ...(codes.includes('unauthorized') && sometimes(authenticate)),
    ...(codes.some((code) => sometimesRetried.includes(code)) && sometimes(retryAfter)),
    ...(codes.every((code) => alwaysRetried.includes(code)) && always(retryAfter)),
  });
}

type Fields = Record<string, z.ZodType>;

/** An id makes each one component of the document, which the answers refer to. */
const always = (headers: Headers): Fields =>
  fields(headers, (name, { schema, description }) => schema.meta({ description, header: { id: name } }));

const sometimes = (headers: Headers): Fields =>
  fields(headers, (name, { schema, description }) =>
    schema.optional().meta({ description, header: { id: `${name}.optional` } }),
  );

function fields(headers: Headers, field: (name: string, header: Header) => z.ZodType): Fields {
  return Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, field(name, header)]));
}
