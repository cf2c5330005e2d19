import { describe, expect, test } from 'vitest';
import { Resolver } from '../../../local/template/intrinsics.ts';
import { type Stack, stackFromTemplate, TemplateError, templateSchema } from '../../../local/template/stack.ts';

function stackOf(name: string, template: object): Stack {
  const about = { name, account: '111122223333', region: 'eu-central-1', assets: new Map() };
  return stackFromTemplate(templateSchema.parse({ Resources: {}, ...template }), about);
}

const data = stackOf('Data', {
  Resources: {
    Key: { Type: 'AWS::SecretsManager::Secret', Properties: {} },
    Cluster: { Type: 'AWS::RDS::DBCluster', Properties: { DBClusterIdentifier: 'Main' } },
    Table: { Type: 'AWS::DynamoDB::Table', Properties: {} },
  },
  Outputs: {
    Exported: { Value: { Ref: 'Cluster' }, Export: { Name: { 'Fn::Sub': '${AWS::StackName}:cluster' } } },
    Plain: { Value: { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] } },
  },
  Parameters: { Size: { Type: 'Number', Default: 3 }, Bare: { Type: 'String' } },
  Mappings: { Sizes: { 'eu-central-1': { small: 's' } } },
  Conditions: {
    InEurope: { 'Fn::Equals': [{ Ref: 'AWS::Region' }, 'eu-central-1'] },
    Nowhere: { 'Fn::Not': [{ Condition: 'InEurope' }] },
    Either: { 'Fn::Or': [{ Condition: 'Nowhere' }, { Condition: 'InEurope' }] },
    Both: { 'Fn::And': [{ Condition: 'Nowhere' }, { Condition: 'InEurope' }] },
  },
});
const application = stackOf('Application', {});
const resolver = new Resolver([data, application]);
const resolve = (value: unknown, stack = data): unknown => resolver.resolve(value, { stack, where: 'here' });

describe('a value is resolved as CloudFormation would', () => {
  test.each<[string, unknown, unknown]>([
    ['text stays', 'text', 'text'],
    ['pseudo parameters', { Ref: 'AWS::AccountId' }, '111122223333'],
    ['parameters', { Ref: 'Size' }, 3],
    ['resources', { Ref: 'Cluster' }, 'main'],
    ['attributes', { 'Fn::GetAtt': ['Cluster', 'DBClusterArn'] }, 'arn:aws:rds:eu-central-1:111122223333:cluster:main'],
    ['attributes with a dot', { 'Fn::GetAtt': 'Cluster.Endpoint.Address' }, '127.0.0.1'],
    ['Join', { 'Fn::Join': ['-', ['a', { Ref: 'Size' }, 'b']] }, 'a-3-b'],
    ['Join of a split', { 'Fn::Join': ['/', { 'Fn::Split': ['-', 'a-b'] }] }, 'a/b'],
    ['Select of a split', { 'Fn::Select': [1, { 'Fn::Split': [':', 'a:b:c'] }] }, 'b'],
    ['Select by a text', { 'Fn::Select': ['0', ['x', 'y']] }, 'x'],
    [
      'Sub',
      { 'Fn::Sub': '${AWS::Region}/${Cluster}/${Cluster.Endpoint.Address}/${!Cluster}' },
      'eu-central-1/main/127.0.0.1/${Cluster}',
    ],
    ['Sub with variables', { 'Fn::Sub': ['${Name}-${Size}', { Name: { Ref: 'Cluster' } }] }, 'main-3'],
    ['FindInMap', { 'Fn::FindInMap': ['Sizes', { Ref: 'AWS::Region' }, 'small'] }, 's'],
    ['Base64', { 'Fn::Base64': 'hello' }, 'aGVsbG8='],
    ['If', { 'Fn::If': ['InEurope', 'yes', 'no'] }, 'yes'],
    ['If Not', { 'Fn::If': ['Nowhere', 'yes', 'no'] }, 'no'],
    ['If Or', { 'Fn::If': ['Either', 'yes', 'no'] }, 'yes'],
    ['If And', { 'Fn::If': ['Both', 'yes', 'no'] }, 'no'],
    ['NoValue leaves a property out', { a: { Ref: 'AWS::NoValue' }, b: [1, { Ref: 'AWS::NoValue' }] }, { b: [1] }],
  ])('%s', (_name, value, expected) => {
    expect(resolve(value)).toEqual(expected);
  });

  test('an import finds the export of another stack', () => {
    expect(resolve({ 'Fn::ImportValue': 'Data:cluster' }, application)).toBe('main');
  });

  test('a weak reference finds the output of another stack', () => {
    const reference = { 'Fn::GetStackOutput': { StackName: 'Data', OutputName: 'Plain' } };
    expect(resolve(reference, application)).toBe('arn:aws:rds:eu-central-1:111122223333:cluster:main');
  });

  test('names that CloudFormation would make up are the same every time', () => {
    const again = new Resolver([data]).resolve({ Ref: 'Key' }, { stack: data, where: '' });
    expect(resolve({ Ref: 'Key' })).toBe(again);
    expect(again).toMatch(/^arn:aws:secretsmanager:eu-central-1:111122223333:secret:Key-\w{12}-\w{6}$/);
  });

  test('the secret of a master user is called as RDS calls it, with an id and not a name', () => {
    expect(resolve({ 'Fn::GetAtt': ['Cluster', 'MasterUserSecret.SecretArn'] })).toMatch(
      /^arn:aws:secretsmanager:eu-central-1:111122223333:secret:rds!cluster-[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}-\w{6}$/,
    );
  });
});

describe('what the local stack does not know stops it', () => {
  test.each<[string, unknown, RegExp]>([
    ['a function', { 'Fn::Transform': {} }, /^here: the function Fn::Transform/],
    ['a type that is referred to', { Ref: 'Table' }, /Data\/Table \(AWS::DynamoDB::Table\)/],
    ['an attribute', { 'Fn::GetAtt': ['Cluster', 'ReadEndpoint.Address'] }, /attribute ReadEndpoint\.Address/],
    ['a name', { Ref: 'Nobody' }, /Nobody/],
    ['a parameter without a default', { Ref: 'Bare' }, /Bare/],
    ['an export', { 'Fn::ImportValue': 'Other:thing' }, /Other:thing/],
    ['an output', { 'Fn::GetStackOutput': { StackName: 'Data', OutputName: 'Other' } }, /Data\.Other/],
    ['a mapping', { 'Fn::FindInMap': ['Sizes', 'us-east-1', 'small'] }, /Sizes/],
    ['a condition', { 'Fn::If': ['Other', 1, 2] }, /Other/],
    ['an item past the end', { 'Fn::Select': [5, ['x']] }, /item 5 of 1/],
  ])('%s', (_name, value, message) => {
    expect(() => resolve(value)).toThrow(TemplateError);
    expect(() => resolve(value)).toThrow(message);
  });
});
