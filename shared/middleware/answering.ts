import type { APIGatewayProxyResult, Context } from 'aws-lambda';
import {
  type Answer,
  type Handlers,
  type RouteDescription,
  type RouteDescriptions,
  requestIdOf,
  successAnswer,
  toResponse,
} from '../http/index.ts';
import type { ApiEvent } from './api-event.ts';

export interface AnsweringOptions {
  /** What to do on routes that are described as idempotent. @default nothing else than on others */
  readonly answerOnce?: AnswerOnce;
  /** What to do around each handler. @default nothing */
  readonly around?: (event: ApiEvent, load: () => Promise<unknown>) => Promise<unknown>;
}

/** Gives the answer, or that of an earlier attempt of the same request. */
export type AnswerOnce = (event: ApiEvent, context: Context, answer: () => Promise<Answer>) => Promise<Answer>;

type AnyHandler = (request: unknown) => unknown;

/** The end of the chain: calls the route's handler with the validated request and makes an answer of what it returns. */
export function answering<Routes extends RouteDescriptions>(
  routes: Routes,
  handlers: Handlers<Routes>,
  { answerOnce, around = (_, load) => load() }: AnsweringOptions = {},
) {
  return async (event: ApiEvent, context: Context): Promise<APIGatewayProxyResult> => {
    const route = event.route as keyof Routes;
    const description = routes[route] as RouteDescription;
    // describeApi and Handlers hold routes, requests and handlers together at compile time.
    const handler = handlers[route] as AnyHandler;
    const answer = async () => {
      const value = await around(event, async () => handler(event.validated ?? {}));
      return successAnswer(
        description.status ?? 200,
        value,
        description.location && locationOf(event, description.location, value),
      );
    };
    const once = description.idempotent ? answerOnce : undefined;
    return toResponse(await (once ? once(event, context, answer) : answer()), requestIdOf(event.requestContext));
  };
}

/** On the host that was asked: with the stage in front of the path, where the host is API Gateway's own. */
function locationOf({ path, requestContext }: ApiEvent, template: string, value: unknown): string {
  const base = requestContext.path.endsWith(path) ? requestContext.path.slice(0, -path.length) : '';
  const fields = new Map(Object.entries(value as object));
  return base + template.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(fields.get(name))));
}
