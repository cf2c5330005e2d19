import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import type { IamLogin } from './endpoint.ts';
import type { CacheCredentials } from './login.ts';

/** ElastiCache takes a token for 15 minutes. */
const tokenSeconds = 900;
/** Renewed while it is good for another five minutes, so that a connection never opens with a stale one. */
const renewAfterMs = 600_000;

/**
 * Logins to ElastiCache Serverless as an IAM identity: the password is a presigned `connect` request without its scheme.
 * A connection that stands is closed by ElastiCache after 12 hours and opens again with a new token.
 *
 * @param awsCredentials the function's own identity by default
 * @see https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/auth-iam.html
 */
export function elastiCacheLogin(
  { cacheName, user, region }: IamLogin,
  awsCredentials = defaultProvider(),
): () => Promise<CacheCredentials> {
  const signer = new SignatureV4({ service: 'elasticache', region, credentials: awsCredentials, sha256: Sha256 });
  let token: Promise<CacheCredentials> | undefined;
  let renewAt = 0;
  const sign = async (): Promise<CacheCredentials> => {
    const renewAt = Date.now() + renewAfterMs;
    const request = {
      method: 'GET',
      protocol: 'https:',
      hostname: cacheName,
      path: '/',
      query: { Action: 'connect', ResourceType: 'ServerlessCache', User: user },
      headers: { host: cacheName },
    };
    const signed = await signer.presign(request, { expiresIn: tokenSeconds });
    const query = new URLSearchParams(signed.query as Record<string, string>);
    return { username: user, password: `${cacheName}/?${query.toString()}`, renewAt };
  };
  return () => {
    if (token && Date.now() < renewAt) return token;
    renewAt = Date.now() + renewAfterMs;
    token = sign();
    // A failure is not kept: the next command tries again.
    token.catch(() => (renewAt = 0));
    return token;
  };
}
