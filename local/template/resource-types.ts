import { describe, type Resource, TemplateError } from './stack.ts';

/** Types that the local stack acts on. */
const interpreted = new Set([
  'AWS::ApiGateway::Authorizer',
  'AWS::ApiGateway::GatewayResponse',
  'AWS::ApiGateway::Method',
  'AWS::ApiGateway::RequestValidator',
  'AWS::ApiGateway::Resource',
  'AWS::ApiGateway::RestApi',
  'AWS::ApiGateway::Stage',
  'AWS::ApiGateway::UsagePlan',
  'AWS::ElastiCache::ServerlessCache',
  'AWS::Lambda::Alias',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::Function',
  'AWS::Lambda::Version',
  'AWS::Events::Rule',
  'AWS::RDS::DBCluster',
  'AWS::S3::Bucket',
  'AWS::Scheduler::Schedule',
  'AWS::SecretsManager::Secret',
  'AWS::SecretsManager::SecretTargetAttachment',
  'Custom::Trigger',
]);

/**
 * Types without an effect on what a request is answered: permissions, network, keys, logs and alarms are AWS's part, and the local
 * issuer stands in for Cognito. docs/local-versus-aws.md lists them.
 */
const leftToAws: readonly (string | RegExp)[] = [
  /^AWS::(CloudWatch|Cognito|EC2|IAM|KMS|Logs|SNS|WAFv2)::/,
  'AWS::ApiGateway::Account',
  'AWS::ApiGateway::Deployment',
  'AWS::ApplicationAutoScaling::ScalableTarget',
  'AWS::CDK::Metadata',
  'AWS::Events::EventBus',
  'AWS::ElastiCache::User',
  'AWS::ElastiCache::UserGroup',
  'AWS::Lambda::Permission',
  'AWS::RDS::DBClusterParameterGroup',
  'AWS::RDS::DBInstance',
  'AWS::RDS::DBParameterGroup',
  'AWS::RDS::DBSubnetGroup',
  'AWS::S3::BucketPolicy',
  'AWS::SecretsManager::ResourcePolicy',
  'AWS::SecretsManager::RotationSchedule',
  'Custom::VpcRestrictDefaultSG',
];

/** @throws TemplateError naming every resource whose type is in neither list. */
export function refuseUnknownTypes(resources: readonly Resource[]): void {
  const unknown = resources.filter(
    ({ type }) =>
      !interpreted.has(type) &&
      !leftToAws.some((known) => (typeof known === 'string' ? known === type : known.test(type))),
  );
  if (unknown.length === 0) return;
  throw new TemplateError(
    [
      'The local stack does not know what to do with:',
      ...unknown.map((resource) => `  ${describe(resource)}`),
      'Teach it the type, or list it in local/template/resource-types.ts if it has no effect here.',
    ].join('\n'),
  );
}
