import { createHash } from 'node:crypto';
import { describe, type Resource, TemplateError } from './stack.ts';

/** Value of a property of the resource itself, resolved; undefined where the template leaves it out. */
type OwnProperty = (name: string) => string | undefined;

interface PhysicalType {
  readonly ref: (resource: Resource, own: OwnProperty) => string;
  readonly attributes?: Readonly<Record<string, (resource: Resource, own: OwnProperty) => string>>;
}

/**
 * What CloudFormation's `Ref` gives for a resource on this machine. Always the same for the same template, so that what is kept on
 * disk (secrets, API keys) is found again after a restart.
 */
export function physicalReference(resource: Resource, own: OwnProperty): string {
  return typeOf(resource).ref(resource, own);
}

/** What `Fn::GetAtt` gives for a resource on this machine. */
export function physicalAttribute(resource: Resource, name: string, own: OwnProperty): string {
  const attribute = typeOf(resource).attributes?.[name];
  if (attribute) return attribute(resource, own);
  throw new TemplateError(
    `${describe(resource)}: the local stack has no value for the attribute ${name}. Add it to local/template/physical-values.ts.`,
  );
}

function typeOf(resource: Resource): PhysicalType {
  const type = types[resource.type];
  if (type) return type;
  throw new TemplateError(
    `${describe(resource)} is referred to, but the local stack has no counterpart of its type. ` +
      'Add it to local/template/physical-values.ts.',
  );
}

/** The name that the template gives, or one of stack and logical id, as CloudFormation makes them. */
const named =
  (property: string, longest = 64) =>
  (resource: Resource, own: OwnProperty): string =>
    own(property) ?? `${resource.stack.name}-${resource.logicalId}`.slice(0, longest);

const digest = (resource: Resource, encoding: 'base64url' | 'hex'): string =>
  createHash('sha256').update(`${resource.stack.name}/${resource.logicalId}`).digest(encoding);

const hexadecimal = (resource: Resource, length: number): string => digest(resource, 'hex').slice(0, length);

const hash = (resource: Resource, length: number): string =>
  digest(resource, 'base64url')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '0')
    .slice(0, length);

/** Ids such as API Gateway gives: ten lower-case letters and digits. */
const shortId = (resource: Resource): string => hash(resource, 10);

const arn = (service: string, rest: string) => (resource: Resource, name: string) =>
  `arn:aws:${service}:${resource.stack.region}:${resource.stack.account}:${rest}${name}`;

const functionName = named('FunctionName');
const functionArn = (resource: Resource, own: OwnProperty): string =>
  arn('lambda', 'function:')(resource, functionName(resource, own));
/** ARN of the function that a version or an alias is of, which they name by name or ARN. */
const qualified = (resource: Resource, own: OwnProperty): string => {
  const name = own('FunctionName') ?? '';
  return name.startsWith('arn:') ? name : arn('lambda', 'function:')(resource, name);
};
const clusterName = (resource: Resource, own: OwnProperty): string =>
  named('DBClusterIdentifier', 63)(resource, own).toLowerCase();
/** CloudFormation calls a secret by its logical id and twelve characters. */
const secretArn = (resource: Resource, own: OwnProperty): string => {
  const name = own('Name') ?? `${resource.logicalId}-${hash(resource, 12)}`;
  return `${arn('secretsmanager', 'secret:')(resource, name)}-${hash(resource, 6)}`;
};
/** RDS calls the secret that it makes for a cluster's master user by an id of its own. */
const masterSecretArn = (resource: Resource): string => {
  const id = hexadecimal(resource, 32).replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
  return `${arn('secretsmanager', 'secret:')(resource, `rds!cluster-${id}`)}-${hash(resource, 6)}`;
};
const eventBusName = named('Name', 256);
const roleName = named('RoleName');
const bucketName = (resource: Resource, own: OwnProperty): string =>
  named('BucketName', 63)(resource, own).toLowerCase();
const logGroupName = named('LogGroupName', 512);
const userPoolId = (resource: Resource): string => `${resource.stack.region}_${hash(resource, 9)}`;

const types: Readonly<Record<string, PhysicalType>> = {
  'AWS::ApiGateway::RestApi': {
    ref: shortId,
    attributes: { RootResourceId: (resource) => `root${shortId(resource)}` },
  },
  'AWS::ApiGateway::Resource': { ref: shortId },
  'AWS::ApiGateway::Deployment': { ref: shortId },
  'AWS::ApiGateway::Stage': { ref: (_resource, own) => own('StageName') ?? 'default' },
  'AWS::ApiGateway::Authorizer': { ref: shortId },
  'AWS::ApiGateway::GatewayResponse': { ref: shortId },
  'AWS::ApiGateway::Method': { ref: shortId },
  'AWS::ApiGateway::RequestValidator': { ref: shortId },
  'AWS::ApiGateway::UsagePlan': { ref: shortId, attributes: { Id: shortId } },
  'AWS::Lambda::Function': { ref: functionName, attributes: { Arn: functionArn } },
  'AWS::Lambda::Version': {
    ref: (resource, own) => `${qualified(resource, own)}:1`,
    attributes: { Version: () => '1' },
  },
  'AWS::Lambda::EventInvokeConfig': { ref: shortId },
  'AWS::Lambda::Alias': { ref: (resource, own) => `${qualified(resource, own)}:${own('Name') ?? ''}` },
  'AWS::Events::EventBus': {
    ref: eventBusName,
    attributes: {
      Arn: (resource, own) => arn('events', 'event-bus/')(resource, eventBusName(resource, own)),
      Name: eventBusName,
    },
  },
  'AWS::Events::Rule': { ref: named('Name') },
  'AWS::IAM::Role': {
    ref: roleName,
    attributes: {
      Arn: (resource, own) => `arn:aws:iam::${resource.stack.account}:role/${roleName(resource, own)}`,
    },
  },
  'AWS::RDS::DBCluster': {
    ref: clusterName,
    attributes: {
      DBClusterArn: (resource, own) => arn('rds', 'cluster:')(resource, clusterName(resource, own)),
      'MasterUserSecret.SecretArn': masterSecretArn,
      'Endpoint.Address': () => '127.0.0.1',
    },
  },
  'AWS::ElastiCache::ServerlessCache': { ref: named('ServerlessCacheName', 40) },
  'AWS::Scheduler::Schedule': { ref: named('Name') },
  'AWS::S3::Bucket': {
    ref: bucketName,
    attributes: { Arn: (resource, own) => `arn:aws:s3:::${bucketName(resource, own)}` },
  },
  'AWS::SecretsManager::Secret': { ref: secretArn, attributes: { Id: secretArn } },
  'AWS::SecretsManager::SecretTargetAttachment': { ref: (_resource, own) => own('SecretId') ?? '' },
  'Custom::Trigger': { ref: shortId },
  'AWS::Logs::LogGroup': {
    ref: logGroupName,
    attributes: { Arn: (resource, own) => `${arn('logs', 'log-group:')(resource, logGroupName(resource, own))}:*` },
  },
  'AWS::Cognito::UserPool': {
    ref: userPoolId,
    attributes: {
      UserPoolId: userPoolId,
      Arn: (resource) => arn('cognito-idp', 'userpool/')(resource, userPoolId(resource)),
      ProviderURL: (resource) => `https://cognito-idp.${resource.stack.region}.amazonaws.com/${userPoolId(resource)}`,
    },
  },
  'AWS::Cognito::UserPoolClient': {
    ref: (resource) => hash(resource, 26),
    attributes: { ClientId: (r) => hash(r, 26) },
  },
};
