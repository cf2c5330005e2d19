import { gzipSync } from 'node:zlib';
import { type Attack, claimsOf, encode, type Forge, honest, parts } from './attack.ts';

const standard = (text: string): string => Buffer.from(text, 'base64url').toString('base64');
const header = '{"alg":"RS256","kid":"key-1"}';
const signed = (claims: string | Buffer | ((forge: Forge) => string)) => (forge: Forge) =>
  forge.issuer.signText(header, typeof claims === 'function' ? claims(forge) : claims);

const tokens: Readonly<Record<string, Attack['token']>> = {
  'no parts': () => '',
  'empty parts alone': () => '..',
  'one part': parts((first) => first),
  'two parts': parts((first, second) => `${first}.${second}`),
  'four parts': parts((first, second, third) => `${first}.${second}.${third}.${third}`),
  'a detached payload': parts((first, _, third) => `${first}..${third}`),
  'no header': parts((_, second, third) => `.${second}.${third}`),
  'no signature': parts((first, second) => `${first}.${second}.`),
  'a signature of a single character': parts((first, second) => `${first}.${second}.A`),
  'a signature of zeros': parts((first, second, third) => `${first}.${second}.${'A'.repeat(third.length)}`),
  'half a signature': parts((first, second, third) => `${first}.${second}.${third.slice(0, 171)}`),
  'a doubled signature': parts((first, second, third) => `${first}.${second}.${third}${third}`),
  'the signature of another token': (forge) => {
    const [first = '', second = ''] = honest({ tenant_id: 'globex' })(forge).split('.');
    return `${first}.${second}.${String(honest()(forge).split('.')[2])}`;
  },
  'a payload that was exchanged': (forge) =>
    parts((first, _, third) => `${first}.${encode(claimsOf(forge, { tenant_id: 'globex' }))}.${third}`)(forge),
  'a JWE': () => [encode({ alg: 'RSA-OAEP', enc: 'A256GCM', kid: 'key-1' }), 'AAAA', 'AAAA', 'AAAA', 'AAAA'].join('.'),
  'a JWS in JSON': parts((first, second, third) => encode({ payload: second, protected: first, signature: third })),
  'two tokens with a comma between them': (forge) => `${honest()(forge)},${honest()(forge)}`,
  'two tokens with a comma and a scheme between them': (forge) => `${honest()(forge)}, Bearer ${honest()(forge)}`,
  'two tokens with a blank between them': (forge) => `${honest()(forge)} ${honest()(forge)}`,
  'a blank within': parts((first, second, third) => `${first}. ${second}.${third}`),
  'a line feed within': parts((first, second, third) => `${first}.\n${second}.${third}`),
  'percent signs': parts((first, second, third) => `${first}%2e${second}%2e${third}`),
  'the standard alphabet': parts((first, second, third) =>
    [first, second, third].map(standard).join('.').replace(/$/, '+/'),
  ),
  'letters beyond ASCII': parts((first, second, third) => `${first}.${second}.${third}é`),
  'dots of full width': parts((first, second, third) => `${first}\uff0e${second}\uff0e${third}`),
  'a header that is no JSON': (forge) => forge.issuer.signText('{"alg":"RS256"', '{}'),
  'a header that is a list': (forge) => forge.issuer.signText('["RS256"]', JSON.stringify(claimsOf(forge))),
  'a header that is null': (forge) => forge.issuer.signText('null', JSON.stringify(claimsOf(forge))),
  'claims that are no JSON': signed('tenant_id=acme'),
  'claims that are a list': signed((forge) => JSON.stringify([claimsOf(forge)])),
  'claims that are a text': signed('"acme"'),
  'claims that are null': signed('null'),
  'claims that are empty': signed(''),
  'claims in UTF-16': signed(Buffer.from('{"tenant_id":"acme"}', 'utf16le')),
  'claims that are no UTF-8': signed(Buffer.from([0x7b, 0xff, 0xfe, 0x7d])),
  'compressed claims': (forge) =>
    forge.issuer.signText('{"alg":"RS256","kid":"key-1","zip":"DEF"}', gzipSync(JSON.stringify(claimsOf(forge)))),
  'claims nested a hundred thousand deep': signed('['.repeat(100_000) + ']'.repeat(100_000)),
  'a token of a million letters': () => `${'A'.repeat(333_333)}.${'A'.repeat(333_333)}.${'A'.repeat(333_333)}`,
  'a million dots': () => '.'.repeat(1_000_000),
  'nothing but equals signs': () => '==.==.==',
};

/** Texts that are no token, or not quite. */
export const shapeAttacks: Readonly<Record<string, Attack>> = Object.fromEntries(
  Object.entries(tokens).map(([name, token]) => [name, { token, answer: 'Unauthorized' }]),
);
