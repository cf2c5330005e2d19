/** Of the context that API Gateway's events carry. */
interface IdentifiedRequest {
  readonly requestId: string;
  readonly extendedRequestId?: string | undefined;
}

/** The id that API Gateway gave a request. `requestId` by itself will not do: a client may choose it, and take another request's. */
export function requestIdOf({ extendedRequestId, requestId }: IdentifiedRequest): string {
  return extendedRequestId ?? requestId;
}
