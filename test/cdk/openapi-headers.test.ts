import { afterAll, beforeAll, expect, it } from 'vitest';
import { expectDescribedHeaders } from '../helpers/described-headers.ts';
import { resourcesOf, synthesize, type Synthesized } from './synthesize.ts';

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize();
});
afterAll(() => synthesized[Symbol.dispose]());

/** Those that no described route answers with. */
const elsewhere = ['MISSING_AUTHENTICATION_TOKEN', 'RESOURCE_NOT_FOUND', 'INTEGRATION_FAILURE'];

it('describes the headers of the answers that API Gateway gives itself', () => {
  const responses = Object.values(resourcesOf(synthesized, 'AWS::ApiGateway::GatewayResponse'));
  const described = responses.filter(({ Properties }) => !elsewhere.includes(String(Properties['ResponseType'])));

  expect(described.length).toBeGreaterThan(10);
  for (const { Properties } of described) {
    const parameters = Object.entries(Properties['ResponseParameters'] as Record<string, string>);
    const headers = parameters.map(([target, value]): [string, string] => [
      target.replace('gatewayresponse.header.', ''),
      value.replace(/^'(.*)'$/, '$1'),
    ]);
    expectDescribedHeaders('POST /projects', Number(Properties['StatusCode']), Object.fromEntries(headers));
  }
});
