import type { InvocationResult } from '../lambda/function-process.ts';
import { membersOf, parseUntyped } from '../untyped.ts';
import type { AuthorizerDefinition } from './definition.ts';
import { GatewayRefusal } from './gateway-responses.ts';
import { type AuthorizerAnswer, authorizerAnswerSchema, evaluatePolicy } from './policy.ts';
import { type GatewayRequest, headerValues } from './request.ts';

/** Invokes a function by its ARN. */
export type Invoke = (functionArn: string, event: unknown) => Promise<InvocationResult>;

/** Who the authorizer says is asking. */
export interface Authorization {
  /** `$context.authorizer.…`, all texts as API Gateway makes them. */
  readonly context: Readonly<Record<string, string | number>>;
  readonly usageIdentifierKey: string | undefined;
}

interface CacheEntry {
  readonly answer: AuthorizerAnswer;
  readonly expiresAt: number;
}

/**
 * A REQUEST authorizer with its cache. As on AWS the whole answer is replayed (policy, context and API key) to whoever
 * shows the same identity sources, on every route; a missing identity source is refused without a call; errors are never kept.
 */
export class Authorizer {
  readonly #definition: AuthorizerDefinition;
  readonly #invoke: Invoke;
  readonly #cache = new Map<string, CacheEntry>();

  constructor(definition: AuthorizerDefinition, invoke: Invoke) {
    this.#definition = definition;
    this.#invoke = invoke;
  }

  /** Forgets every answer, like FlushStageAuthorizersCache. */
  flush(): void {
    this.#cache.clear();
  }

  /**
   * @param event made only when the authorizer has to be asked
   * @param onDenied is told the authorizer's context before a denied request is refused, for the gateway response
   * @throws GatewayRefusal
   */
  async authorize(
    request: GatewayRequest,
    methodArn: string,
    event: () => unknown,
    onDenied: (context: Authorization['context']) => void,
  ): Promise<Authorization> {
    const identity = this.#definition.identityHeaders.map((name) => headerValues(request.headers, name));
    if (identity.some((values) => values.length === 0 || values.every((value) => value === ''))) {
      throw new GatewayRefusal('UNAUTHORIZED');
    }
    const begun = performance.now();
    const answer = await this.#answer(JSON.stringify(identity), event);
    const integrationLatency = Math.round(performance.now() - begun);
    const texts = Object.entries(answer.context ?? {}).map(([key, value]) => [key, String(value)] as const);
    const context = {
      ...Object.fromEntries<string | number>(texts),
      principalId: answer.principalId,
      integrationLatency,
    };
    const verdict = evaluatePolicy(answer.policyDocument, methodArn);
    if (verdict === 'allowed') return { context, usageIdentifierKey: answer.usageIdentifierKey ?? undefined };
    onDenied(context);
    throw new GatewayRefusal(
      'ACCESS_DENIED',
      `User is not authorized to access this resource${verdict === 'denied' ? '' : ' with an explicit deny'}`,
    );
  }

  async #answer(key: string, event: () => unknown): Promise<AuthorizerAnswer> {
    const { ttlSeconds, functionArn } = this.#definition;
    const kept = this.#cache.get(key);
    if (kept && kept.expiresAt > Date.now()) return kept.answer;
    const answer = parseAnswer(await this.#invoke(functionArn, event()));
    if (ttlSeconds > 0) this.#cache.set(key, { answer, expiresAt: Date.now() + ttlSeconds * 1_000 });
    return answer;
  }
}

function parseAnswer({ payload, isError }: InvocationResult): AuthorizerAnswer {
  const answer = parseUntyped(payload);
  if (isError) {
    const isUnauthorized = membersOf(answer).get('errorMessage') === 'Unauthorized';
    throw new GatewayRefusal(isUnauthorized ? 'UNAUTHORIZED' : 'AUTHORIZER_FAILURE');
  }
  const parsed = authorizerAnswerSchema.safeParse(answer);
  if (!parsed.success) throw new GatewayRefusal('AUTHORIZER_CONFIGURATION_ERROR');
  return parsed.data;
}
