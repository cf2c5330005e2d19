import { createHash } from 'node:crypto';
import { newImpersonationToken } from '../../../shared/tenancy/index.ts';
import { type Attack, type Forge, honest } from './attack.ts';

const live = ({ impersonations }: Forge): string => impersonations.live;
const changed = (token: string, at: number): string =>
  `${token.slice(0, at)}${token[at] === 'A' ? 'B' : 'A'}${token.slice(at + 1)}`;

const refused: Readonly<Record<string, Attack['token']>> = {
  'that was made up': () => newImpersonationToken(),
  'that was ended': ({ impersonations }) => impersonations.ended,
  'that has expired': ({ impersonations }) => impersonations.expired,
  'whose first letter was changed': (forge) => changed(live(forge), 4),
  'whose last letter was changed': (forge) => changed(live(forge), 46),
  'in upper case': (forge) => live(forge).toUpperCase(),
  'with another prefix': (forge) => live(forge).replace('tni_', 'tnx_'),
  'with the prefix in upper case': (forge) => live(forge).replace('tni_', 'TNI_'),
  'with its prefix twice': (forge) => `tni_${live(forge)}`,
  'without its prefix': (forge) => live(forge).slice(4),
  'of the prefix alone': () => 'tni_',
  'with more behind it': (forge) => `${live(forge)}A`,
  'with a dot behind it': (forge) => `${live(forge)}.`,
  'that is a hash of what the registry has': (forge) =>
    `tni_${createHash('sha256').update(live(forge)).digest('base64url')}`,
  'that is the hash which the registry has': (forge) => `tni_${createHash('sha256').update(live(forge)).digest('hex')}`,
  'with a JWT in place of the secret': (forge) => `tni_${honest()(forge)}`,
  'with a JWT behind it': (forge) => `${live(forge)}.${honest()(forge)}`,
  'before a JWT that names its id': (forge) => `${honest({ jti: live(forge) })(forge)}.${live(forge)}`,
  'with percent signs in it': (forge) => live(forge).replace('tni_', 'tni%5F'),
};

/** Tokens of operators who act for tenants, or of those who would like to. */
export const impersonationAttacks: Readonly<Record<string, Attack>> = {
  ...Object.fromEntries(
    Object.entries(refused).map(([name, token]) => [name, { token, answer: 'Unauthorized' } satisfies Attack]),
  ),
  'of a tenant that was suspended since': {
    token: ({ impersonations }) => impersonations.suspended,
    answer: 'tenant-suspended',
  },
  'that is good': { token: live, answer: 'allowed' },
};

/** Claims by which a user of a tenant would pass for an operator. */
export const operatorClaims: readonly object[] = [
  { roles: ['operator'] },
  { roles: 'operator' },
  { actor: 'olga', impersonationId: '0199f0f0-0000-7000-8000-000000000000' },
  { act: { sub: 'olga' }, impersonation: { id: '0199f0f0-0000-7000-8000-000000000000', actor: 'olga' } },
  { sub: 'operator:olga', roles: ['operator'] },
];
