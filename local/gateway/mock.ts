import { GatewayRefusal, type GatewayReply } from './gateway-responses.ts';
import { preflightHeaders } from './preflight-template.ts';
import { type GatewayRequest, headerValues } from './request.ts';
import type { Integration } from './shapes.ts';

/** The reply of a MOCK integration, such as CDK makes for CORS preflights: the request template names a status, the status a response. */
export function mockReply(integration: Integration, request: Pick<GatewayRequest, 'headers'>): GatewayReply {
  const template = integration.RequestTemplates?.['application/json'] ?? '';
  const [, status = ''] = /"?statusCode"?\s*:\s*(\d{3})/.exec(template) ?? [];
  const response =
    integration.IntegrationResponses.find(
      ({ SelectionPattern }) => SelectionPattern && matches(SelectionPattern, status),
    ) ?? integration.IntegrationResponses.find(({ SelectionPattern }) => !SelectionPattern);
  if (!response) throw new GatewayRefusal('INTEGRATION_FAILURE');
  const headers = Object.entries(response.ResponseParameters).map(
    ([target, source]) => [target.replace('method.response.header.', ''), source.replace(/^'(.*)'$/, '$1')] as const,
  );
  const body = response.ResponseTemplates['application/json'] ?? '';
  const overrides = preflightHeaders(body, headerValues(request.headers, 'origin').at(-1));
  const all = Object.entries({ ...Object.fromEntries(headers), ...overrides });
  return {
    status: Number(response.StatusCode),
    headers: Object.fromEntries(all.map(([name, value]) => [name, [value]])),
    body: Buffer.from(overrides ? '' : body),
  };
}

const matches = (pattern: string, status: string): boolean => new RegExp(`^(?:${pattern})$`).test(status);
