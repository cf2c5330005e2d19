/**
 * Every error that a client can meet. `status` is the HTTP status; `title` says what kind of thing happened, without values.
 * docs/errors.md describes each code, and a test holds the two together.
 */
export const errorCatalogue = {
  // Who is asking
  unauthorized: { status: 401, title: 'A valid bearer token is required' },
  'token-expired': { status: 401, title: 'The token has expired' },
  'tenant-claim-missing': { status: 403, title: 'The token names no tenant' },
  'tenant-unknown': { status: 403, title: 'The token names an unknown tenant' },
  'tenant-suspended': { status: 403, title: 'The tenant is suspended' },
  'tenant-mismatch': { status: 403, title: 'The request names another tenant than its token' },
  'tenant-not-named': { status: 400, title: 'The request names no tenant' },
  'tenant-not-found': { status: 404, title: 'No such tenant' },
  'operator-only': { status: 403, title: 'Only operators may do this' },
  'signature-missing': { status: 403, title: 'A request signed with AWS credentials is required' },
  'signature-invalid': { status: 403, title: 'The signature of the request is not valid' },
  forbidden: { status: 403, title: 'Not allowed' },
  'api-key-invalid': { status: 403, title: 'The tenant has no usable API key' },

  // What is being asked
  'route-not-found': { status: 404, title: 'No such route or method' },
  'not-found': { status: 404, title: 'No such resource' },
  'validation-failed': { status: 400, title: 'The request is not valid' },
  'body-not-json': { status: 400, title: 'The body is not JSON' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not application/json' },
  conflict: { status: 409, title: 'The resource exists already' },
  'version-conflict': { status: 409, title: 'The resource has changed since it was read' },
  'tenant-exists': { status: 409, title: 'The tenant id is taken' },
  'tenant-id-used': { status: 409, title: 'The tenant id was that of a tenant who has left' },
  'operation-in-progress': { status: 409, title: 'Another operation on the tenant is not finished' },
  'migration-in-progress': { status: 409, title: 'A run of migrations is not finished' },
  'no-capacity': { status: 409, title: 'No cluster takes another tenant like this' },
  'export-unusable': { status: 409, title: 'The export cannot be restored' },
  'home-gone': { status: 409, title: 'The database of the tenant is not there any more' },
  'erasure-incomplete': { status: 409, title: 'Something of the tenant is left' },
  'reference-not-found': { status: 409, title: 'The request refers to a resource that does not exist' },
  'constraint-violated': { status: 409, title: 'The change breaks a rule of the data' },
  'idempotency-key-in-use': { status: 409, title: 'A request with this idempotency key is being served' },
  'idempotency-key-reused': { status: 422, title: 'The idempotency key was used with another request' },
  'limits-above-plan': { status: 422, title: 'The plan grants less than that' },
  'statement-refused': { status: 422, title: 'The database refused the statement' },
  'result-too-large': { status: 413, title: 'The result is too large' },
  'rate-limited': { status: 429, title: 'Too many requests' },
  'concurrency-limited': { status: 429, title: 'Too many requests at the same time' },
  'quota-exceeded': { status: 429, title: 'The quota of the plan is used up' },

  // What went wrong on our side
  'tenant-moving': { status: 503, title: 'The tenant is being moved' },
  'migration-not-started': { status: 503, title: 'The run of migrations could not be started' },
  'database-unavailable': { status: 503, title: 'The database is not available' },
  'limiter-unavailable': { status: 503, title: 'The rate limiter is not available' },
  'statement-timeout': { status: 504, title: 'The database took too long' },
  'gateway-timeout': { status: 504, title: 'The request took too long' },
  'bad-gateway': { status: 502, title: 'The function gave no usable answer' },
  internal: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, { status: number; title: string }>;

export type ErrorCode = keyof typeof errorCatalogue;
