import { describe, expect, test } from 'vitest';
import { authorizerAnswerSchema, evaluatePolicy } from '../../../local/gateway/policy.ts';

const arn = 'arn:aws:execute-api:eu-central-1:111122223333:api/test/GET/projects/7';
const statement = (Effect: 'Allow' | 'Deny', Resource: string, Action = 'execute-api:Invoke') => ({
  Effect,
  Action: [Action],
  Resource: [Resource],
});
const verdict = (...Statement: ReturnType<typeof statement>[]) => evaluatePolicy({ Statement }, arn);

describe('a policy', () => {
  test.each([
    arn,
    '*',
    'arn:aws:execute-api:*:*:api/test/*',
    'arn:aws:execute-api:eu-central-1:111122223333:api/test/GET/*',
    'arn:aws:execute-api:eu-central-1:111122223333:api/test/???/projects/7',
  ])('allows what its resource matches: %s', (resource) => {
    expect(verdict(statement('Allow', resource))).toBe('allowed');
  });

  test.each([
    'arn:aws:execute-api:eu-central-1:111122223333:api/test/POST/*',
    'arn:aws:execute-api:eu-central-1:111122223333:api/test/GET/projects',
    'arn:aws:execute-api:eu-central-1:111122223333:api.test/GET/projects/7',
    'arn:aws:execute-api:eu-central-1:111122223333:api/test/????/projects/7',
  ])('denies what its resource does not match: %s', (resource) => {
    expect(verdict(statement('Allow', resource))).toBe('denied');
  });

  test('denies where an explicit Deny matches, whatever else it says', () => {
    expect(verdict(statement('Allow', '*'), statement('Deny', arn), statement('Allow', arn))).toBe('explicitly-denied');
  });

  test('counts only statements about invoking', () => {
    expect(verdict(statement('Allow', '*', 'execute-api:ManageConnections'))).toBe('denied');
    expect(verdict(statement('Allow', '*', 'execute-api:*'))).toBe('allowed');
    expect(verdict(statement('Allow', '*', 'EXECUTE-API:invoke'))).toBe('allowed');
  });
});

describe('an authorizer’s answer is refused', () => {
  const good = { principalId: 'u', policyDocument: { Statement: [{ Effect: 'Allow', Action: 'x', Resource: 'y' }] } };
  const withStatement = (extra: object) => ({
    ...good,
    policyDocument: { Statement: [{ Effect: 'Allow', Action: 'x', Resource: 'y', ...extra }] },
  });

  test.each<[string, object]>([
    ['without a principal', { ...good, principalId: undefined }],
    ['with an object in its context', { ...good, context: { placement: { model: 'pool' } } }],
    ['with a resource of more than 512 characters', withStatement({ Resource: 'x'.repeat(513) })],
    ['with a condition', withStatement({ Condition: {} })],
    ['with NotResource', withStatement({ NotResource: 'x' })],
    ['without statements', { ...good, policyDocument: { Statement: [] } }],
  ])('%s', (_name, answer) => {
    expect(authorizerAnswerSchema.safeParse(good).success).toBe(true);
    expect(authorizerAnswerSchema.safeParse(answer).success).toBe(false);
  });
});
