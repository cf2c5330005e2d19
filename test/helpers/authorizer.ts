import type { APIGatewayAuthorizerResult, APIGatewayRequestAuthorizerEvent } from 'aws-lambda';
import { SecretStore } from '../../local/secrets-manager/secret-store.ts';
import { startSecretsManager } from '../../local/secrets-manager/server.ts';
import { environmentKeys } from '../../shared/contract/index.ts';
import { signingKey } from './capability.ts';
import { configFor, startTenantDatabase, type TestTenantDatabase } from './tenant-database.ts';
import { startIssuer, type TestIssuer } from './token-issuer.ts';

/** The real authorizer in this process, over a real registry, Secrets Manager and issuer. */
export interface TestAuthorizer extends AsyncDisposable {
  readonly tenants: TestTenantDatabase;
  readonly issuer: TestIssuer;
  /** Issuers whose tokens name an audience; one marks access tokens by their type, the other does not mark them. */
  readonly others: Readonly<Record<'typed' | 'unmarked', TestIssuer>>;
  /** What it answers to a request with this Authorization header; undefined leaves the header out. */
  authorize(authorization: string | undefined): Promise<APIGatewayAuthorizerResult>;
}

const secretArn = 'arn:aws:secretsmanager:eu-central-1:000000000000:secret:signing-abcdef';

/** Reads its configuration as it is loaded: once a test file. */
export async function startAuthorizer(tenantIds: readonly string[]): Promise<TestAuthorizer> {
  const [tenants, issuer, typed, unmarked] = await Promise.all([
    startTenantDatabase(tenantIds),
    startIssuer(),
    startIssuer({ audienceClaim: 'aud', audience: ['https://api.example.com'], tokenUse: 'at+jwt' }),
    startIssuer({ audienceClaim: 'aud', audience: ['https://api.example.com'], tokenUse: 'audience' }),
  ]);
  const issuers = [issuer, typed, unmarked];
  const secrets = SecretStore.open();
  const secret = { keyId: signingKey.keyId, secret: Buffer.from(signingKey.secret).toString() };
  await secrets.put(secretArn, JSON.stringify({ keys: [secret] }));
  const endpoint = await startSecretsManager({ secrets });
  const config = configFor('authorizer', tenants.postgres.name);
  Object.assign(process.env, {
    AWS_ENDPOINT_URL_SECRETS_MANAGER: endpoint.url,
    [environmentKeys.clusters]: JSON.stringify(config.clusters),
    [environmentKeys.registry]: JSON.stringify(config.registry),
    [environmentKeys.signingSecretArn]: secretArn,
    [environmentKeys.issuers]: JSON.stringify(issuers.map(({ config }) => config)),
  });
  const { handler } = await import('../../functions/authorizer/handler.ts');
  return {
    tenants,
    issuer,
    others: { typed, unmarked },
    authorize: (authorization) =>
      handler({
        type: 'REQUEST',
        methodArn: 'arn:aws:execute-api:eu-central-1:000000000000:api/dev/GET/projects',
        headers: authorization === undefined ? {} : { authorization },
        requestContext: { requestId: 'request-1' },
      } as unknown as APIGatewayRequestAuthorizerEvent),
    [Symbol.asyncDispose]: async () => {
      await endpoint.stop();
      await Promise.all(issuers.map((each) => each[Symbol.asyncDispose]()));
      await tenants[Symbol.asyncDispose]();
    },
  };
}
