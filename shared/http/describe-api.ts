import type * as z from 'zod';
import type { CachedAnswerName, controlServices, publicServices, Route, services } from '../contract/index.ts';
import type { ErrorCode } from '../errors/index.ts';
import type { RateLimit } from '../rate-limit/index.ts';
import { checkRouteLimits } from './route-limits.ts';

type AllServices = typeof services & typeof publicServices & typeof controlServices;
type AnyServiceName = keyof AllServices;
type RouteOf<Service extends AnyServiceName> = AllServices[Service][number];

/** What a route takes and gives. The same schemas validate requests, type the handler and make the OpenAPI document. */
export interface RouteDescription {
  readonly summary: string;
  /** Path parameters. */
  readonly path?: z.ZodObject;
  /** Query parameters. Use `z.strictObject`, so that a misspelt filter is refused instead of ignored. */
  readonly query?: z.ZodObject;
  /** JSON body. Use `z.strictObject`, so that a misspelt field is refused instead of ignored. */
  readonly body?: z.ZodType;
  /** Status of success; 204 has no body. @default 200 */
  readonly status?: 200 | 201 | 202 | 204;
  /** Body of success. */
  readonly response?: z.ZodType;
  /** Path of what was made, with fields of the response in braces, for the header `Location`. @default none */
  readonly location?: `/${string}`;
  /** Whether the route takes an `Idempotency-Key`. @default false */
  readonly idempotent?: boolean;
  /**
   * Keeps answers in the tenant's cache under a name, for a while at most. Only for what all users of a tenant are answered alike. What is
   * kept is what `response` keeps of an answer when it reads that as JSON, so describe all of it.
   *
   * @default not cached
   */
  readonly cached?: { readonly as: CachedAnswerName; readonly seconds: number };
  /** Names of cached answers that are out of date once this route has answered, or has written something and then refused. */
  readonly invalidates?: readonly CachedAnswerName[];
  /** How many plain requests one of this route counts for, where the tenant's requests are limited; tenants' routes alone. @default 1 */
  readonly weight?: number;
  /**
   * What a tenant may ask of this route alone, on top of what it may ask of all routes: a request that does not fit into both counts
   * against neither. Tenants' routes alone. @default no limit of its own
   *
   * @example limit: { requestsPerMinute: 6, burst: 2 }
   */
  readonly limit?: RateLimit;
  /** Codes of the catalogue that this route answers with on top of those that any route may. */
  readonly errors?: readonly ErrorCode[];
}

/** A route of those who are no tenants: nobody's limits are counted there, and nobody's cache is asked. */
type UnlimitedRoute = RouteDescription & {
  readonly [only in 'weight' | 'limit' | 'cached' | 'invalidates']?: never;
};

/** A service's routes, described. */
export interface ApiDescription<Routes extends RouteDescriptions = RouteDescriptions> {
  readonly service: AnyServiceName;
  /** Who may ask: a tenant's users, operators, or anyone, without a token. */
  readonly audience: 'tenant' | 'operator' | 'anyone';
  readonly routes: Routes;
}
export type RouteDescriptions = { readonly [route in Route]?: RouteDescription };

/** What a handler gets: only what its route describes, validated. */
type ApiRequest<Description extends RouteDescription> = Field<Description, 'path'> &
  Field<Description, 'query'> &
  Field<Description, 'body'> &
  (Description extends { readonly idempotent: true } ? { readonly idempotencyKey: string | undefined } : unknown);

type Field<Description, Name extends 'path' | 'query' | 'body'> =
  Description extends Readonly<Record<Name, infer Schema extends z.ZodType>>
    ? { readonly [name in Name]: z.output<Schema> }
    : unknown;

type ResponseOf<Description> = Description extends { readonly response: infer Schema extends z.ZodType }
  ? z.output<Schema>
  : undefined;

/** A handler for each described route. */
export type Handlers<Routes> = {
  readonly [route in keyof Routes]: Routes[route] extends RouteDescription
    ? (request: ApiRequest<Routes[route]>) => Promise<ResponseOf<Routes[route]>> | ResponseOf<Routes[route]>
    : never;
};

/**
 * Describes every route that shared/contract/routes.ts announces for a service: one that is missing, or one that is not announced,
 * does not compile.
 *
 * @throws RangeError for a weight or limit of a route that makes no sense
 */
export function describeApi<
  Service extends keyof typeof services,
  const Routes extends { readonly [route in RouteOf<Service>]: RouteDescription },
>(service: Service, routes: Routes & NoOthers<Routes, RouteOf<Service>>): ApiDescription<Routes> {
  checkRouteLimits(routes);
  return { service, audience: 'tenant', routes };
}

/** `describeApi` for a service that answers without a token. */
export function describePublicApi<
  Service extends keyof typeof publicServices,
  const Routes extends { readonly [route in RouteOf<Service>]: UnlimitedRoute },
>(service: Service, routes: Routes & NoOthers<Routes, RouteOf<Service>>): ApiDescription<Routes> {
  return { service, audience: 'anyone', routes };
}

/** `describeApi` for a service of the control plane. */
export function describeOperatorApi<
  Service extends keyof typeof controlServices,
  const Routes extends { readonly [route in RouteOf<Service>]: UnlimitedRoute },
>(service: Service, routes: Routes & NoOthers<Routes, RouteOf<Service>>): ApiDescription<Routes> {
  return { service, audience: 'operator', routes };
}

type NoOthers<Routes, Allowed extends PropertyKey> = { readonly [route in Exclude<keyof Routes, Allowed>]: never };
