import type { APIGatewayProxyEvent } from 'aws-lambda';
import { describe, expect, test } from 'vitest';
import { operatorOf } from '../../../shared/middleware/operator-of.ts';

const operatorFrom = (requestContext: object) =>
  operatorOf(requestContext as unknown as APIGatewayProxyEvent['requestContext']);
const olga = 'arn:aws:iam::111122223333:user/teams/olga';

describe('who the operator is', () => {
  test.each<[string, object, string]>([
    ['the subject of a token', { authorizer: { operatorId: 'olga' }, identity: { userArn: null } }, 'olga'],
    ['a user of IAM', { identity: { userArn: olga } }, olga],
    [
      'an assumed role, with its session',
      { authorizer: null, identity: { userArn: 'arn:aws:sts::111122223333:assumed-role/deployer/run-42' } },
      'arn:aws:sts::111122223333:assumed-role/deployer/run-42',
    ],
    [
      'a principal elsewhere than in aws',
      { identity: { userArn: 'arn:aws-cn:iam::111122223333:root' } },
      'arn:aws-cn:iam::111122223333:root',
    ],
  ])('is what API Gateway says: %s', (_, context, operator) => {
    expect(operatorFrom(context)).toBe(operator);
  });

  test.each<[string, object]>([
    ['nobody is named', {}],
    ['nobody is named, in an identity', { identity: { userArn: null, user: 'olga', caller: 'olga' } }],
    ['the authorizer names a tenant', { authorizer: { tenantId: 'acme', userId: 'ann' }, identity: { userArn: null } }],
    [
      'the authorizer names a tenant, and there is a principal',
      { authorizer: { tenantId: 'acme' }, identity: { userArn: olga } },
    ],
    ['both doors name somebody', { authorizer: { operatorId: 'ivan' }, identity: { userArn: olga } }],
    ['a token’s subject looks like a principal', { authorizer: { operatorId: olga } }],
    ['the principal is no ARN', { identity: { userArn: 'olga' } }],
    ['the principal is empty', { identity: { userArn: '' } }],
    ['the principal is a list', { identity: { userArn: [olga] } }],
    ['the ARN is of a function', { identity: { userArn: 'arn:aws:lambda:eu-central-1:111122223333:function:f' } }],
  ])('is nobody when %s', (_, context) => {
    expect(operatorFrom(context)).toBeUndefined();
  });
});
