import {
  JwtBaseError,
  JwtExpiredError,
  JwtInvalidAudienceError,
  JwtInvalidIssuerError,
  JwtInvalidSignatureAlgorithmError,
  JwtInvalidSignatureError,
  JwtNotBeforeError,
  JwtParseError,
  JwtWithoutValidKidError,
  KidNotFoundInJwksError,
  ParameterValidationError,
  WaitPeriodNotYetEndedJwkError,
} from 'aws-jwt-verify/error';

/** A rule of our own that a token breaks. Its message must not quote the token. */
export class BrokenRuleError extends JwtBaseError {}

const reasons = [
  [JwtParseError, 'The token is no JWT.'],
  [JwtExpiredError, 'The token has expired.'],
  [JwtNotBeforeError, 'The token is not valid yet.'],
  [JwtInvalidIssuerError, 'The issuer of the token is not trusted.'],
  // What the library says of it where several are trusted.
  [ParameterValidationError, 'The issuer of the token is not trusted.'],
  [JwtInvalidAudienceError, 'The audience of the token is not ours.'],
  [JwtInvalidSignatureAlgorithmError, 'The token is not signed with the algorithm of its key.'],
  [JwtInvalidSignatureError, 'The signature of the token is not that of its key.'],
  [JwtWithoutValidKidError, 'The token names no key.'],
  [KidNotFoundInJwksError, 'The issuer has no such key as the token names.'],
  [WaitPeriodNotYetEndedJwkError, 'The issuer had no such key as the token names a moment ago.'],
] as const;

/**
 * Why a token is refused, for the log; undefined where it is not the token's fault. In words of our own: those of the library quote
 * the token, which is anyone's to write, or somebody's secret in the wrong place.
 */
export function refusalReason(error: unknown): string | undefined {
  if (error instanceof BrokenRuleError) return error.message;
  // The library writes the times of `exp` and `nbf` into its messages, and there are numbers that are no time.
  if (error instanceof RangeError && error.message === 'Invalid time value')
    return 'The token has a time that is none.';
  if (!(error instanceof JwtBaseError)) return undefined;
  return reasons.find(([type]) => error instanceof type)?.[1] ?? 'The token breaks a rule of JSON web tokens.';
}
