import type { ApiDefinition } from './definition.ts';
import { type GatewayRequest, headerValues } from './request.ts';

/** Whether the API takes a request's body for binary. A body without a content type counts as JSON, as everywhere in API Gateway. */
export function isBinaryRequest(api: ApiDefinition, { headers }: Pick<GatewayRequest, 'headers'>): boolean {
  const contentType = headerValues(headers, 'content-type').at(-1) ?? 'application/json';
  return api.binaryMediaTypes.some((type) => mediaTypeMatches(type, contentType));
}

/** Whether API Gateway decodes a function's base64: it asks the first type that the client accepts. */
export function acceptsBinary(api: ApiDefinition, { headers }: Pick<GatewayRequest, 'headers'>): boolean {
  const accepted = headerValues(headers, 'accept').at(-1)?.split(',')[0] ?? '*/*';
  return api.binaryMediaTypes.some((type) => type === '*/*' || mediaTypeMatches(type, accepted));
}

/** Whether a content type, whatever its parameters, is one of `image/*`, the media types of a pattern such as `image/\*`. */
function mediaTypeMatches(pattern: string, contentType: string): boolean {
  const [type = '', subtype = ''] = (contentType.split(';')[0] ?? '').trim().toLowerCase().split('/');
  const [wantedType, wantedSubtype] = pattern.toLowerCase().split('/');
  return (wantedType === '*' || wantedType === type) && (wantedSubtype === '*' || wantedSubtype === subtype);
}
