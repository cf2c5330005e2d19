/** What the Lambda authorizers have in common: whether a token is to be trusted, and how API Gateway is told. */
export { allowStage, denyStage, jsonContent, type Refusal } from './answer.ts';
export { rolesOf } from './roles.ts';
export { tokenAuthorizer } from './token-authorizer.ts';
export { InvalidTokenError, type TokenVerifier, tokenVerifier, type VerifiedToken } from './token-verifier.ts';
export { warmUp } from './warm-up.ts';
