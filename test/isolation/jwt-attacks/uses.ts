import { type Attack, type Forge } from './attack.ts';

const api = 'https://api.example.com';
/** What OpenID Connect puts into an ID token, for an API that is named as a client would be. */
const idClaims = { aud: api, client_id: undefined, token_use: undefined };

const of =
  (issuer: keyof Forge['others'], claims: object, header: object = {}): Attack['token'] =>
  ({ others }) =>
    others[issuer].sign({ ...idClaims, ...claims }, header);

const refused = (token: Attack['token']): Attack => ({ token, answer: 'Unauthorized' });
const allowed = (token: Attack['token']): Attack => ({ token, answer: 'allowed' });

/** ID tokens, and access tokens, of issuers that have no claim `token_use`. */
export const useAttacks: Readonly<Record<string, Attack>> = {
  'an ID token of an issuer that types access tokens': refused(of('typed', { nonce: 'n' }, { typ: 'JWT' })),
  'an ID token without anything of one': refused(of('typed', {})),
  'another type': refused(of('typed', {}, { typ: 'logout+jwt' })),
  'a type that begins like that of an access token': refused(of('typed', {}, { typ: 'at+jwt+x' })),
  'a type before that of an access token': refused(of('typed', {}, { typ: 'application/x-at+jwt' })),
  'a list of types': refused(of('typed', {}, { typ: ['at+jwt'] })),
  'the type as a claim': refused(of('typed', { typ: 'at+jwt' })),
  'token_use where the type counts': refused(of('typed', { token_use: 'access' })),
  'the type of an access token and another audience': refused(of('typed', { aud: 'client-1' }, { typ: 'at+jwt' })),
  'the type where token_use counts': refused(({ issuer }) => issuer.sign({ token_use: undefined }, { typ: 'at+jwt' })),
  'the type of an access token': allowed(of('typed', {}, { typ: 'at+jwt' })),
  'the type of an access token in full': allowed(of('typed', {}, { typ: 'application/at+JWT' })),
  'a nonce, of an issuer that marks nothing': refused(of('unmarked', { nonce: 'n' })),
  'an empty nonce, of an issuer that marks nothing': refused(of('unmarked', { nonce: null })),
  'a hash of an access token, of an issuer that marks nothing': refused(of('unmarked', { at_hash: 'h' })),
  'a hash of a code, of an issuer that marks nothing': refused(of('unmarked', { c_hash: 'h' })),
  'a client for its audience, of an issuer that marks nothing': refused(of('unmarked', { aud: 'client-1' })),
  'the audience alone, of an issuer that marks nothing': allowed(of('unmarked', {})),
};
