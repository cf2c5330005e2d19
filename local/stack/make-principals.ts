import { randomBytes } from 'node:crypto';
import type { ApiDefinition } from '../gateway/definition.ts';
import type { Principal } from '../gateway/principals.ts';
import { writePrivately } from './state-file.ts';

/** Who can sign requests to the control plane of this machine, by profile: a user, an assumed role, and one without permission. */
const profiles = {
  default: { service: 'iam', name: 'user/local-operator', isTemporary: false, mayInvoke: true },
  role: { service: 'sts', name: 'assumed-role/local-operator/session', isTemporary: true, mayInvoke: true },
  stranger: { service: 'iam', name: 'user/stranger', isTemporary: false, mayInvoke: false },
} as const;

/**
 * Makes credentials for this run of the stack, which are good for nothing but its own gateway, and writes them where only the owner of
 * the data folder can read them: `AWS_SHARED_CREDENTIALS_FILE=<file>` makes every AWS tool use them.
 */
export async function makePrincipals(
  file: string,
  { account }: Pick<ApiDefinition, 'account'>,
): Promise<readonly Principal[]> {
  const made = Object.entries(profiles).map(([profile, of]) => [profile, principalOf(of, account)] as const);
  const lines = made.flatMap(([profile, { accessKeyId, secretAccessKey, sessionToken }]) => [
    `[${profile}]`,
    `aws_access_key_id = ${accessKeyId}`,
    `aws_secret_access_key = ${secretAccessKey}`,
    ...(sessionToken === undefined ? [] : [`aws_session_token = ${sessionToken}`]),
    '',
  ]);
  await writePrivately(file, lines.join('\n'));
  return made.map(([, principal]) => principal);
}

function principalOf(
  { service, name, isTemporary, mayInvoke }: (typeof profiles)[keyof typeof profiles],
  accountId: string,
): Principal {
  const unique = randomBytes(8).toString('hex').toUpperCase();
  return {
    accessKeyId: `${isTemporary ? 'ASIA' : 'AKIA'}${unique}`,
    secretAccessKey: randomBytes(30).toString('base64url'),
    ...(isTemporary && { sessionToken: randomBytes(60).toString('base64url') }),
    accountId,
    userArn: `arn:aws:${service}::${accountId}:${name}`,
    userId: `${isTemporary ? 'AROA' : 'AIDA'}${unique}`,
    mayInvoke,
  };
}
