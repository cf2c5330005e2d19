import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ApiKeyStore } from '../../../local/gateway/api-keys.ts';
import { Gateway } from '../../../local/gateway/gateway.ts';
import { startGatewayServer } from '../../../local/gateway/server.ts';
import { api, method } from './api-definition.ts';

const quota = 20;
const plan = { id: 'free', name: 'free', throttle: undefined, quota: { limit: quota, period: 'MONTH' as const } };

test('a tenant that uses up the quota of its plan costs another one of the same plan not a single request', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-quota-'));
  const keys = new ApiKeyStore(join(folder, 'keys.json'));
  for (const tenant of ['greedy', 'modest']) keys.add(tenant, plan.id, `key-of-${tenant}`);
  const definition = api({
    methods: [method('GET /', { apiKeyRequired: true, authorizerId: 'authorizer' })],
    authorizers: new Map([
      [
        'authorizer',
        { id: 'authorizer', functionArn: 'authorizer', ttlSeconds: 300, identityHeaders: ['Authorization'] },
      ],
    ]),
    usagePlans: [plan],
  });
  const gateway = new Gateway(definition, keys, async (arn, event) => ({
    payload: JSON.stringify(
      arn === 'authorizer' ? allow(event as AuthorizerEvent) : { statusCode: 200, body: 'served' },
    ),
    isError: false,
  }));
  const server = await startGatewayServer({ gateway, port: 0, onAnswered: () => undefined, onFault: () => undefined });
  try {
    const ask = async (tenant: string): Promise<number> =>
      (await fetch(server.url, { headers: { Authorization: tenant } })).status;
    const greedy: number[] = [];
    const modest: number[] = [];
    for (let request = 0; request < quota; request += 1) {
      greedy.push(...(await Promise.all([ask('greedy'), ask('greedy'), ask('greedy')])));
      modest.push(await ask('modest'));
    }
    expect(greedy.filter((status) => status === 200)).toHaveLength(quota);
    expect(greedy.filter((status) => status === 429)).toHaveLength(2 * quota);
    expect(modest).toEqual(Array.from({ length: quota }, () => 200));
    expect(await ask('modest')).toBe(429);
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true });
  }
});

interface AuthorizerEvent {
  readonly headers: { readonly Authorization: string };
  readonly methodArn: string;
}

/** As the authorizer of tenants answers, which names the key of the token's tenant. */
function allow({ headers, methodArn }: AuthorizerEvent): object {
  const statement = { Effect: 'Allow', Action: 'execute-api:Invoke', Resource: methodArn };
  return {
    principalId: headers.Authorization,
    policyDocument: { Version: '2012-10-17', Statement: [statement] },
    usageIdentifierKey: `key-of-${headers.Authorization}`,
  };
}
