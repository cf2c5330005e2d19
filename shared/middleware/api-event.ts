import type { MiddlewareObj } from '@middy/core';
import type { APIGatewayProxyEvent, APIGatewayProxyResult } from 'aws-lambda';
import type { Peek } from '../cache/index.ts';
import type { ValidatedRequest } from '../http/index.ts';

/** API Gateway's event, and what middlewares found out about it. */
export interface ApiEvent extends APIGatewayProxyEvent {
  /** The route of the service's description that was called; set by `routing`. */
  route?: string;
  /** Headers of the answer, whatever it becomes; sent by `responseHeaders`. */
  responseHeaders?: Readonly<Record<string, string>>;
  /** Looks into the cache for it, if it may be answered from there; set by `cachedAnswers`, called by `rateLimit`. */
  lookUp?: () => Peek;
  /** What that has found. */
  cached?: Peek;
  /** Whether it has come to the handler; set by `cachedAnswers`. */
  isHandled?: boolean;
  /** Gives back what the request holds while it is under way; set by `rateLimit`. */
  releaseLimits?: () => Promise<void>;
  /** Set by `validation`. */
  validated?: ValidatedRequest;
}

export type ApiMiddleware = MiddlewareObj<ApiEvent, APIGatewayProxyResult>;
