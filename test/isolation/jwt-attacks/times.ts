import { type Attack, honest, now } from './attack.ts';

const answered = (answer: Attack['answer'], claims: () => object): Attack => ({
  token: (forge) => honest(claims())(forge),
  answer,
});

/** Times of honest tokens at the edges, while the clock stands still. */
export const timeAttacks: Readonly<Record<string, Attack>> = {
  'an expiry of a second ago': answered('Unauthorized', () => ({ exp: now() - 1 })),
  'an expiry of this very moment': answered('Unauthorized', () => ({ exp: now() })),
  'an expiry of half a second ahead': answered('allowed', () => ({ exp: now() + 0.5 })),
  'an expiry in a second': answered('allowed', () => ({ exp: now() + 1 })),
  'a start of this very moment': answered('allowed', () => ({ nbf: now() })),
  'a start half a second ahead': answered('Unauthorized', () => ({ nbf: now() + 0.5 })),
  'a start in a second': answered('Unauthorized', () => ({ nbf: now() + 1 })),
  'a time of issue a minute ahead, where clocks differ': answered('allowed', () => ({ iat: now() + 60 })),
  'a time of issue more than a minute ahead': answered('Unauthorized', () => ({ iat: now() + 61 })),
  'a time of issue after its expiry': answered('Unauthorized', () => ({ iat: now() + 7200 })),
  'no time of issue': answered('allowed', () => ({ iat: undefined })),
  'a time of issue before all dates': answered('allowed', () => ({ iat: -1e300 })),
};
