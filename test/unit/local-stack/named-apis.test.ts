import { expect, test } from 'vitest';
import { readNamedApis } from '../../../local/stack/named-apis.ts';
import { StartupError } from '../../../local/stack/startup-error.ts';
import { deploymentOf } from '../../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../../local/template/stack.ts';

const url = (api: string): object => ({
  'Fn::Join': ['', ['https://', { Ref: api }, '.execute-api.', { Ref: 'AWS::Region' }, '.amazonaws.com/dev/']],
});

/** A stack with the REST APIs, and outputs with the URLs of some. */
function stackOf(name: string, apis: readonly string[], outputs: Readonly<Record<string, string>>) {
  const resources = apis.flatMap((api) => [
    [api, { Type: 'AWS::ApiGateway::RestApi', Properties: { Name: api } }],
    [`${api}Stage`, { Type: 'AWS::ApiGateway::Stage', Properties: { RestApiId: { Ref: api } } }],
  ]);
  const values = Object.entries(outputs).map(([output, api]) => [output, { Value: url(api) }]);
  const template = { Resources: Object.fromEntries(resources), Outputs: Object.fromEntries(values) };
  const about = { name, account: '111122223333', region: 'eu-central-1', assets: new Map<string, string>() };
  return stackFromTemplate(templateSchema.parse(template), about);
}

test('Which REST API is whose is what the outputs of the stacks say, in whatever order', () => {
  const control = stackOf('Control', ['Third', 'Second'], {
    ControlPlaneUrl: 'Second',
    ControlPlaneIamUrl: 'Third',
  });
  const application = stackOf('Application', ['First'], { ApiUrl: 'First' });
  for (const stacks of [
    [control, application],
    [application, control],
  ]) {
    const { tenants, control: operators, controlIam } = readNamedApis(deploymentOf(stacks));
    expect([tenants.name, operators.name, controlIam.name]).toEqual(['First', 'Second', 'Third']);
  }
});

test.each<[string, string[], Record<string, string>, RegExp]>([
  ['an output is missing', ['First'], { ApiUrl: 'First' }, /ControlPlaneUrl/],
  [
    'an API is in no output',
    ['First', 'Second', 'Third', 'Fourth'],
    { ApiUrl: 'First', ControlPlaneUrl: 'Second', ControlPlaneIamUrl: 'Third' },
    /REST API Fourth/,
  ],
])('When %s the start stops and says so', (_, apis, outputs, message) => {
  const read = () => readNamedApis(deploymentOf([stackOf('App', apis, outputs)]));
  expect(read).toThrow(StartupError);
  expect(read).toThrow(message);
});
