import * as z from 'zod';

const oneOrMore = z.union([z.string().transform((text) => [text]), z.array(z.string())]);

/** What a Lambda authorizer may answer. Statements with conditions or negations are not evaluated here, so they are refused. */
export const authorizerAnswerSchema = z.object({
  principalId: z.string().min(1),
  policyDocument: z.object({
    Version: z.string().optional(),
    Statement: z
      .array(
        z.strictObject({
          Sid: z.string().optional(),
          Effect: z.enum(['Allow', 'Deny']),
          Action: oneOrMore,
          // AWS refuses longer ones.
          Resource: oneOrMore.refine((resources) => resources.every((resource) => resource.length <= 512)),
        }),
      )
      .min(1),
  }),
  context: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])).optional(),
  usageIdentifierKey: z.string().nullish(),
});
export type AuthorizerAnswer = z.infer<typeof authorizerAnswerSchema>;

/**
 * Whether a policy lets `methodArn` be called: an explicit Deny wins, and what no statement allows is denied.
 */
export function evaluatePolicy(
  policy: AuthorizerAnswer['policyDocument'],
  methodArn: string,
): 'allowed' | 'denied' | 'explicitly-denied' {
  const applying = policy.Statement.filter(
    ({ Action, Resource }) =>
      Action.some((action) => wildcard(action, 'i').test('execute-api:Invoke')) &&
      Resource.some((resource) => wildcard(resource).test(methodArn)),
  );
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'explicitly-denied';
  return applying.length > 0 ? 'allowed' : 'denied';
}

/** `*` stands for any text, `?` for one character. */
function wildcard(pattern: string, flags = ''): RegExp {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, `${flags}s`);
}
