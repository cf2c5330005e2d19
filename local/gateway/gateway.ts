import { EventTooLargeError } from '../lambda/function-pool.ts';
import type { ApiKey, ApiKeyStore } from './api-keys.ts';
import { Authorizer, type Invoke } from './authorizer.ts';
import { type RequestContext, setRoute } from './context.ts';
import type { ApiDefinition, StageThrottle } from './definition.ts';
import { identityOf, type Principal } from './principals.ts';
import { GatewayRefusal, type GatewayReply, refusalReply } from './gateway-responses.ts';
import { isBinaryRequest } from './media-types.ts';
import { mockReply } from './mock.ts';
import { authorizerEvent, type EventParts, proxyEvent } from './proxy-event.ts';
import { proxyReply } from './proxy-reply.ts';
import { type GatewayRequest, headerValues } from './request.ts';
import { findRoute, type RouteMatch } from './router.ts';
import { verifySignature } from './signature.ts';
import { TokenBucket } from './token-bucket.ts';
import { UsagePlans } from './usage-plans.ts';
import { validateParameters } from './validator.ts';

/** One stage of a REST API: takes a request through what API Gateway takes it through, in the same order. */
export class Gateway {
  readonly api: ApiDefinition;
  readonly #invoke: Invoke;
  readonly #authorizers: ReadonlyMap<string, Authorizer>;
  readonly #usagePlans: UsagePlans;
  readonly #throttles: readonly { of: StageThrottle; bucket: TokenBucket }[];

  readonly #principals: readonly Principal[];

  /** @param principals whose signatures are good, on methods that need one */
  constructor(api: ApiDefinition, keys: ApiKeyStore, invoke: Invoke, principals: readonly Principal[] = []) {
    this.api = api;
    this.#principals = principals;
    this.#invoke = invoke;
    this.#authorizers = new Map([...api.authorizers].map(([id, item]) => [id, new Authorizer(item, invoke)]));
    this.#usagePlans = new UsagePlans(api.usagePlans, keys);
    this.#throttles = api.throttles.map((of) => ({ of, bucket: new TokenBucket(of, Date.now()) }));
  }

  /** What FlushStageAuthorizersCache does: the next request of every token asks the authorizer. */
  flushAuthorizersCache(): void {
    for (const authorizer of this.#authorizers.values()) authorizer.flush();
  }

  /** @param port that the client talked to */
  async answer(request: GatewayRequest, context: RequestContext, port: number): Promise<GatewayReply> {
    try {
      return await this.#answer(request, context, port);
    } catch (error) {
      if (error instanceof GatewayRefusal) return refusalReply(this.api, context, request, error);
      throw error;
    }
  }

  async #answer(request: GatewayRequest, context: RequestContext, port: number): Promise<GatewayReply> {
    const route = findRoute(this.api, request.method, request.path);
    if (route === undefined) throw new GatewayRefusal('MISSING_AUTHENTICATION_TOKEN');
    if (route === 'bad-path')
      throw new GatewayRefusal('BAD_REQUEST_PARAMETERS', 'The path is not percent-encoded UTF-8.');
    setRoute(context, route.method);
    this.#throttle(route, request.method);
    const parts: EventParts = { api: this.api, request, route, context, port };
    const key = await this.#authorize(parts);
    if (request.query === undefined) {
      throw new GatewayRefusal(
        'BAD_REQUEST_PARAMETERS',
        'The query string is not percent-encoded UTF-8, or has one of | { } unencoded.',
      );
    }
    validateParameters(request, route);
    const { integration, functionArn } = route.method;
    if (functionArn === undefined) {
      // Templates are made for text.
      if (integration.ContentHandling !== 'CONVERT_TO_TEXT' && isBinaryRequest(this.api, request)) {
        throw new GatewayRefusal('API_CONFIGURATION_ERROR');
      }
      return mockReply(integration, request);
    }
    return this.#proxy(parts, key, functionArn);
  }

  /** The limit of the method's own setting if there is one, else of the stage. */
  #throttle({ method }: RouteMatch, httpMethod: string): void {
    const own = this.#throttles.find(({ of }) => of.resourcePath === method.resourcePath && fits(of, httpMethod));
    const throttle = own ?? this.#throttles.find(({ of }) => of.resourcePath === '/*' && fits(of, httpMethod));
    if (throttle && !throttle.bucket.take(Date.now())) throw new GatewayRefusal('THROTTLED');
  }

  async #authorize(parts: EventParts): Promise<ApiKey | undefined> {
    const { request, context, route, api } = parts;
    if (route.method.requiresSignature) {
      const caller = await verifySignature(request, {
        principals: this.#principals,
        region: api.region,
        now: new Date(),
      });
      Object.assign(context.identity, identityOf(caller));
      if (!caller.mayInvoke) throw new GatewayRefusal('ACCESS_DENIED');
    }
    const authorizer = this.#authorizers.get(route.method.authorizerId ?? '');
    const methodArn = `arn:aws:execute-api:${api.region}:${api.account}:${api.id}/${api.stage}/${request.method}${request.path}`;
    const asked = await authorizer?.authorize(
      request,
      methodArn,
      () => authorizerEvent(parts, methodArn),
      (denied) => void (context.authorizer = denied),
    );
    if (asked) context.authorizer = asked.context;
    if (!route.method.apiKeyRequired) return undefined;
    const sent = headerValues(request.headers, 'x-api-key').at(-1);
    return this.#usagePlans.count(api.apiKeySource === 'AUTHORIZER' ? asked?.usageIdentifierKey : sent);
  }

  async #proxy(parts: EventParts, key: ApiKey | undefined, functionArn: string): Promise<GatewayReply> {
    const { context, request, route } = parts;
    const begun = performance.now();
    const { promise: timeout, reject } = Promise.withResolvers<never>();
    const timeoutMs = route.method.integration.TimeoutInMillis;
    const timer = setTimeout(() => reject(new GatewayRefusal('INTEGRATION_TIMEOUT')), timeoutMs);
    try {
      const result = await Promise.race([this.#invoke(functionArn, proxyEvent(parts, key)), timeout]);
      return proxyReply(this.api, request, result);
    } catch (error) {
      throw error instanceof EventTooLargeError ? new GatewayRefusal('REQUEST_TOO_LARGE') : error;
    } finally {
      clearTimeout(timer);
      context.integrationLatency = Math.round(performance.now() - begun);
    }
  }
}

const fits = ({ httpMethod }: StageThrottle, method: string): boolean => httpMethod === '*' || httpMethod === method;
