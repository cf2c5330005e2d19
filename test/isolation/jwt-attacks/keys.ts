import { type Attack, attackersKeys, forged, honest, keyedWith, now, unsigned } from './attack.ts';

const attackersJwk = attackersKeys.rsa.publicKey.export({ format: 'jwk' });
const attackersCertificate = attackersKeys.rsa.publicKey.export({ type: 'spki', format: 'der' }).toString('base64');

/** Which algorithm, and whose key. */
const tokens: Readonly<Record<string, Attack['token']>> = {
  'alg none': unsigned({ alg: 'none' }),
  'alg none and our key id': unsigned({ alg: 'none', kid: 'key-1' }),
  'alg NONE': unsigned({ alg: 'NONE', kid: 'key-1' }),
  'alg nOnE and a signature': unsigned({ alg: 'nOnE', kid: 'key-1' }, 'AAAA'),
  'no alg': unsigned({ kid: 'key-1' }, 'AAAA'),
  'an empty alg': unsigned({ alg: '', kid: 'key-1' }, 'AAAA'),
  'alg null': unsigned({ alg: null, kid: 'key-1' }, 'AAAA'),
  'a list of algs': forged({ alg: ['RS256'] }),
  'alg none after RS256': unsigned('{"alg":"RS256","kid":"key-1","alg":"none"}'),
  'alg RS256 after none, without a signature': unsigned('{"alg":"none","kid":"key-1","alg":"RS256"}'),
  'HS256 with the public key in PEM': keyedWith((_, pem) => pem),
  'HS256 with the public key in PEM, without its last line feed': keyedWith((_, pem) => pem.trim()),
  'HS256 with the public key in DER': keyedWith((key) => key.export({ type: 'spki', format: 'der' })),
  'HS256 with the public key in PKCS #1': keyedWith((key) => key.export({ type: 'pkcs1', format: 'der' })),
  'HS256 with the public key as a JWK': keyedWith((key) => JSON.stringify(key.export({ format: 'jwk' }))),
  'HS256 with the modulus': keyedWith((key) => String(key.export({ format: 'jwk' }).n)),
  'HS256 with the bytes of the modulus': keyedWith((key) =>
    Buffer.from(String(key.export({ format: 'jwk' }).n), 'base64url'),
  ),
  'HS256 with an empty key': keyedWith(() => ''),
  'an HMAC under the name RS256': keyedWith((_, pem) => pem, { alg: 'RS256' }),
  'RS384 over a signature with SHA-256': honest({}, { alg: 'RS384' }),
  'RS384 by our own key, which is for RS256': ({ issuer }) =>
    issuer.signText(
      '{"alg":"RS384","kid":"key-1"}',
      JSON.stringify({ tenant_id: 'acme', iss: issuer.config.issuer, exp: now() + 60 }),
      'RS384',
    ),
  'PS256 by our own key, which is for RS256': ({ issuer }) =>
    issuer.signText(
      '{"alg":"PS256","kid":"key-1"}',
      JSON.stringify({ tenant_id: 'acme', iss: issuer.config.issuer, exp: now() + 60 }),
      'PS256',
    ),
  'ES256 of the attacker': forged({ alg: 'ES256' }, attackersKeys.ec.privateKey),
  'EdDSA of the attacker': forged({ alg: 'EdDSA' }, attackersKeys.ed.privateKey),
  'RS256 of the attacker under our key id': forged({}),
  'the attacker’s key in the header': forged({ jwk: attackersJwk }),
  'the attacker’s key in the header and no key id': forged({ jwk: attackersJwk, kid: undefined }),
  'jku of the attacker': forged(({ attackersUrl }) => ({ jku: attackersUrl, kid: 'evil' })),
  'jku of the attacker under our key id': forged(({ attackersUrl }) => ({ jku: attackersUrl })),
  'x5u of the attacker': forged(({ attackersUrl }) => ({ x5u: attackersUrl })),
  'x5c of the attacker': forged({ x5c: [attackersCertificate] }),
  'x5t of the attacker': forged({ x5t: 'AAAA', 'x5t#S256': 'AAAA' }),
  'a key id that is a path': forged({ kid: '../../../../dev/null' }),
  'a key id that is a file': forged({ kid: 'file:///proc/self/environ' }),
  'a key id that is a URL': forged(({ attackersUrl }) => ({ kid: attackersUrl })),
  'a key id that is SQL': forged({ kid: `key-1' union select 'AAAA' --` }),
  'a key id that is a command': forged({ kid: '$(touch /tmp/pwned)' }),
  'a key id with a NUL': forged({ kid: 'key-1\0.evil' }),
  'a very long key id': forged({ kid: 'k'.repeat(200_000) }),
  'an empty key id': forged({ kid: '' }),
  'no key id': honest({}, { kid: undefined }),
  'a key id that is a number': honest({}, { kid: 1 }),
  'a key id that is a list': honest({}, { kid: ['key-1'] }),
  'a key id that is an object': honest({}, { kid: { 'key-1': 1 } }),
  'a key id that every object has': forged({ kid: '__proto__' }),
  'a key id that every object has as a method': forged({ kid: 'constructor' }),
  'crit with an extension that nobody knows': honest({}, { crit: ['exp-leeway'], 'exp-leeway': 1 }),
  'crit with unencoded payload': honest({}, { crit: ['b64'], b64: false }),
  'an empty crit': honest({}, { crit: [] }),
  'crit null': honest({}, { crit: null }),
};

export const keyAttacks: Readonly<Record<string, Attack>> = Object.fromEntries(
  Object.entries(tokens).map(([name, token]) => [name, { token, answer: 'Unauthorized' }]),
);
