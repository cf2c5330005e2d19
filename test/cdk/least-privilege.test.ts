import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { controlServices, publicServices, services } from '../../shared/contract/index.ts';
import { type Resource, resourcesOf, synthesize, type Synthesized } from './synthesize.ts';

interface Statement {
  readonly Effect: string;
  readonly Action: string | string[];
  readonly Resource: unknown;
}

/** Services of the control plane that act for no tenant. */
const withoutSupport = Object.keys(controlServices).filter((service) => service !== 'support');

let synthesized: Synthesized;
beforeAll(() => {
  synthesized = synthesize({ clusters: { main: {}, second: {} } });
});
afterAll(() => synthesized[Symbol.dispose]());

const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value]);

/** Logical ids of the secrets, by what they are: `Owner`, `App`, …, `SigningKey`, `Master`, or `silo/<stage>/*`. */
const secretNames = (text: string) =>
  [
    ...text.matchAll(
      /Secrets(Owner|App|Auth|Control|Operate|SigningKey)|Cluster(?:main|second)Cluster\w+",\s*"MasterUserSecret|:secret:(silo\/dev\/\*)"/g,
    ),
  ]
    .map((match) => match[1] ?? match[2] ?? 'Master')
    .sort();

function allStatements(): { role: string; statement: Statement }[] {
  const policies = Object.values(resourcesOf(synthesized, 'AWS::IAM::Policy'));
  const inline = Object.entries(resourcesOf(synthesized, 'AWS::IAM::Role')).flatMap(([role, { Properties }]) =>
    list(Properties['Policies'] ?? []).map((policy) => ({ role, policy })),
  );
  const attached = policies.map((policy) => ({ role: roleOf(policy), policy: policy.Properties }));
  return [...attached, ...inline].flatMap(({ role, policy }) => {
    const document = (policy as { PolicyDocument: { Statement: Statement[] } }).PolicyDocument;
    return document.Statement.map((statement) => ({ role, statement }));
  });
}

function roleOf({ Properties }: Resource): string {
  const [role] = Properties['Roles'] as { Ref: string }[];
  return role?.Ref ?? '';
}

/** What the function whose role's logical id begins with `prefix` may do, X-Ray, logs and network interfaces left out. */
function grantsOf(prefix: string): Statement[] {
  const grants = allStatements().filter(
    ({ role, statement }) => role.startsWith(prefix) && statement.Effect === 'Allow',
  );
  expect(grants.length, prefix).toBeGreaterThan(0);
  return grants
    .map(({ statement }) => statement)
    .filter(({ Action }) => !list(Action).every((action) => /^(xray|logs|ec2):/.test(action)));
}

/** Path of an ARN of API Gateway's, with `*` for what is known only once it is deployed. */
function pathOf(resource: unknown): string {
  const parts = (resource as { 'Fn::Join': [string, unknown[]] })['Fn::Join'][1];
  return parts
    .map((part) => (typeof part === 'string' ? part : '*'))
    .join('')
    .replace(/^.*?::/, '');
}

const readableSecrets = (prefix: string) =>
  grantsOf(prefix)
    .filter(({ Action }) => list(Action).some((action) => action.startsWith('secretsmanager:Get')))
    .flatMap(({ Resource }) => secretNames(JSON.stringify(Resource)));

describe('least privilege', () => {
  it('allows no action by wildcard', () => {
    for (const { role, statement } of allStatements()) {
      for (const action of list(statement.Action)) expect(action, role).not.toContain('*');
    }
  });

  it('names the resource of every action that has one', () => {
    const everywhere = allStatements()
      .filter(({ statement }) => statement.Effect === 'Allow' && list(statement.Resource).includes('*'))
      .flatMap(({ statement }) => list(statement.Action));

    // Neither has resources that could be named before they exist.
    expect(everywhere.length).toBeGreaterThan(0);
    for (const action of everywhere)
      expect(action).toMatch(/^(xray:Put|secretsmanager:List|ec2:\w*(NetworkInterface|Subnet|PrivateIpAddresses))/);
  });

  it('keeps the code of a function from using the network permissions that Lambda needs for it', () => {
    const denied = allStatements().filter(({ statement }) => statement.Effect === 'Deny');

    expect(denied.map(({ role }) => role.replace(/Role\w+$/, '')).sort()).toEqual([
      'Serviceprojects',
      'Servicetasks',
      'TenantCache',
    ]);
  });

  it.each(Object.keys(services))(
    'lets service %s log in as the application role, to silos with logins of theirs, and read no other secret',
    (service) => {
      expect(readableSecrets(`Service${service}Role`)).toEqual(['App', 'silo/dev/*']);
      const actions = grantsOf(`Service${service}Role`).flatMap(({ Action }) => list(Action));
      expect(actions.sort()).toEqual([
        'elasticache:Connect',
        'rds-data:BeginTransaction',
        'rds-data:CommitTransaction',
        'rds-data:ExecuteStatement',
        'rds-data:RollbackTransaction',
        'secretsmanager:GetSecretValue',
      ]);
    },
  );

  it('lets services use every cluster, and the authorizer only that of the registry', () => {
    const clusters = (prefix: string) =>
      grantsOf(prefix)
        .filter(({ Action }) => list(Action).includes('rds-data:ExecuteStatement'))
        .flatMap(({ Resource }) => list(Resource));

    expect(clusters('ServiceprojectsRole')).toHaveLength(2);
    expect(clusters('AuthorizerRole')).toHaveLength(1);
    expect(JSON.stringify(clusters('AuthorizerRole'))).toContain('Clustermain');
  });

  it('lets nobody but the authorizer of tenants’ users and the support service of operators read the signing key', () => {
    expect(readableSecrets('AuthorizerRole')).toEqual(['Auth', 'SigningKey']);
    const readers = allStatements()
      .filter(({ statement }) => JSON.stringify(statement.Resource).includes('SigningKey'))
      .map(({ role }) => role.replace(/Role\w+$/, ''));
    expect(readers.sort()).toEqual(['Authorizer', 'Controlsupport', 'MigrationsMigrate']);
  });

  it('lets the migration runner alone read the owner’s and the master’s login', () => {
    expect(readableSecrets('MigrationsMigrateRole').sort()).toEqual(
      ['App', 'Auth', 'Control', 'Master', 'Master', 'Operate', 'Owner', 'SigningKey', 'silo/dev/*'].sort(),
    );
    const readers = allStatements()
      .filter(({ statement }) => /SecretsOwner|MasterUserSecret/.test(JSON.stringify(statement.Resource)))
      .map(({ role }) => role.replace(/Role\w+$/, ''));
    expect(new Set(readers)).toEqual(new Set(['MigrationsMigrate']));
  });

  it('lets the migration runner alone make logins, and none but those of tenants’ own databases', () => {
    const makers = allStatements().filter(({ statement }) =>
      list(statement.Action).some((action) => /^secretsmanager:(Create|Delete|Put|Update|Tag)/.test(action)),
    );
    expect(makers.map(({ role }) => role.replace(/Role\w+$/, ''))).toEqual(['MigrationsMigrate']);
    expect(makers.map(({ statement }) => statement.Action)).toEqual([
      ['Create', 'Delete', 'Describe', 'Get', 'Tag'].map(
        (verb) => `secretsmanager:${verb}${{ Get: 'SecretValue', Tag: 'Resource' }[verb] ?? 'Secret'}`,
      ),
    ]);
    expect(makers.map(({ statement }) => JSON.stringify(statement.Resource))).toEqual([
      expect.stringMatching(/:secret:silo\/dev\/\*"\]\]\}$/),
    ]);
  });

  it('lets operations, and what goes on with a fleet, have the migration runner work, and the latter do nothing else', () => {
    const callers = allStatements().filter(
      ({ statement }) =>
        list(statement.Action).includes('lambda:InvokeFunction') &&
        JSON.stringify(statement.Resource).includes('MigrationsMigrateFunction'),
    );
    // The third is CloudFormation's, at deploy.
    expect(callers.map(({ role }) => role.replace(/Role\w+$/, '')).sort()).toEqual([
      expect.stringMatching(/^AWSCDKTrigger/),
      'MigrationsFleet',
      'Operations',
    ]);
    expect(grantsOf('MigrationsFleetRole').flatMap(({ Action }) => list(Action))).toEqual([
      'lambda:CheckpointDurableExecution',
      'lambda:GetDurableExecutionState',
      'lambda:InvokeFunction',
    ]);
    const started = grantsOf('MigrationsMigrateRole').filter(({ Action }) =>
      list(Action).includes('lambda:InvokeFunction'),
    );
    expect(started.map(({ Resource }) => Resource)).toEqual([{ Ref: expect.stringMatching(/^MigrationsLive/) }]);
  });

  it.each(withoutSupport)(
    'lets service %s log in to the registry, start operations and runs of migrations, and do nothing else',
    (service) => {
      const prefix = `Control${service.replace('-', '')}Role`;
      const grants = grantsOf(prefix);

      expect(readableSecrets(prefix)).toEqual(['Control']);
      expect(grants.flatMap(({ Action }) => list(Action)).sort()).toEqual([
        'lambda:InvokeFunction',
        'rds-data:ExecuteStatement',
        'secretsmanager:GetSecretValue',
      ]);
      const started = grants.filter(({ Action }) => list(Action).includes('lambda:InvokeFunction'));
      // Of the migration runner's functions only what goes on with a fleet, by its alias.
      expect(started.flatMap(({ Resource }) => list(Resource))).toEqual([
        { 'Fn::ImportValue': expect.stringMatching(/OutputRefMigrationsLive\w+$/) },
        { Ref: expect.stringMatching(/^OperationsLive/) },
      ]);
      const clusters = grants.filter(({ Action }) => list(Action).includes('rds-data:ExecuteStatement'));
      // It asks each for its connections. The role has rights in the registry alone.
      expect(clusters.flatMap(({ Resource }) => list(Resource))).toHaveLength(2);
    },
  );

  it('lets the control plane alone, and the migration runner, read the login of the registry’s role', () => {
    const readers = allStatements()
      .filter(({ statement }) => JSON.stringify(statement.Resource).includes('SecretsControl'))
      .map(({ role }) => role.replace(/Role\w+$/, ''));
    expect(readers.sort()).toEqual([
      'Controlcontrolplane',
      'Controlsupport',
      'EventsPublish',
      'MigrationsMigrate',
      'OperationRestarterRestart',
    ]);
  });

  it('lets operations alone, and the migration runner, read the login that acts for tenants', () => {
    expect(readableSecrets('OperationsRole')).toEqual(['Operate']);
    const readers = allStatements()
      .filter(({ statement }) => JSON.stringify(statement.Resource).includes('SecretsOperate'))
      .map(({ role }) => role.replace(/Role\w+$/, ''));
    expect(readers.sort()).toEqual(['MigrationsMigrate', 'Operations']);
  });

  it('lets operations, and nobody else, write exports and purge the cache of a tenant', () => {
    const grants = allStatements().filter(({ statement }) =>
      list(statement.Action).some((action) => action.startsWith('s3:')),
    );
    expect(grants.map(({ role }) => role.replace(/Role\w+$/, ''))).toEqual(['Operations', 'Operations']);
    expect(grants.map(({ statement }) => list(statement.Action))).toEqual([
      ['s3:AbortMultipartUpload', 's3:GetObject', 's3:PutObject'],
      ['s3:ListBucket'],
    ]);
    expect(JSON.stringify(grants[0]?.statement.Resource)).toContain('/exports/*');
    const purgers = allStatements().filter(({ statement }) =>
      JSON.stringify(statement.Resource).includes('TenantCache'),
    );
    expect(purgers.filter(({ statement }) => list(statement.Action).includes('lambda:InvokeFunction'))).toMatchObject([
      { role: expect.stringMatching(/^Operations/) },
    ]);
    const actions = grantsOf('TenantCacheRole').flatMap(({ Action }) => list(Action));
    expect(actions).toEqual(['elasticache:Connect']);
  });

  it('lets operations change keys, which have no names in ARNs, but only plans and the cache of the one API', () => {
    const actions = grantsOf('OperationsRole')
      .filter(({ Action }) => list(Action).some((action) => action.startsWith('apigateway:')))
      .flatMap(({ Action, Resource }) => list(Resource).map((resource) => `${String(Action)} ${pathOf(resource)}`));
    expect(actions.sort()).toEqual([
      'apigateway:DELETE /apikeys/*',
      'apigateway:DELETE /restapis/*/stages/*/cache/authorizers',
      ...Array.from({ length: 3 }, () => 'apigateway:DELETE /usageplans/*/keys/*'),
      'apigateway:GET /apikeys',
      'apigateway:GET /apikeys/*',
      'apigateway:GET /usageplans',
      'apigateway:POST /apikeys',
      ...Array.from({ length: 3 }, () => 'apigateway:POST /usageplans/*/keys'),
    ]);
    expect(
      JSON.stringify(grantsOf('OperationsRole')).match(/ExportsOutputRefTenantApiPlan(free|pro|enterprise)/g),
    ).toHaveLength(6);
  });

  it.each([
    ['EventsPublishRole', 'events:PutEvents', 'EventsBus'],
    ['OperationRestarterRestartRole', 'lambda:InvokeFunction', 'OperationsLive'],
  ])('lets %s log in to the registry, do %s, and nothing else', (prefix, action, resource) => {
    const grants = grantsOf(prefix);
    expect(readableSecrets(prefix)).toEqual(['Control']);
    expect(grants.flatMap(({ Action }) => list(Action)).sort()).toEqual(
      [action, 'rds-data:ExecuteStatement', 'secretsmanager:GetSecretValue'].sort(),
    );
    const clusters = grants.filter(({ Action }) => list(Action).includes('rds-data:ExecuteStatement'));
    expect(clusters.flatMap(({ Resource }) => list(Resource))).toHaveLength(1);
    expect(JSON.stringify(clusters)).toContain('Clustermain');
    const [own] = grants.filter(({ Action }) => list(Action).includes(action));
    expect(list(own?.Resource)).toHaveLength(1);
    expect(JSON.stringify(own?.Resource)).toContain(resource);
  });

  it('lets the support service alone act for tenants, on every cluster, in transactions that it cannot commit', () => {
    expect(readableSecrets('ControlsupportRole').sort()).toEqual(['App', 'Control', 'SigningKey', 'silo/dev/*']);
    const grants = grantsOf('ControlsupportRole');
    expect(grants.flatMap(({ Action }) => list(Action)).sort()).toEqual([
      'rds-data:BeginTransaction',
      'rds-data:ExecuteStatement',
      'rds-data:RollbackTransaction',
      'secretsmanager:GetSecretValue',
    ]);
    const clusters = grants.filter(({ Action }) => list(Action).includes('rds-data:ExecuteStatement'));
    expect(clusters.flatMap(({ Resource }) => list(Resource))).toHaveLength(2);
  });

  it('lets the authorizer of operators reach nothing: all that it has to know is in the token', () => {
    expect(grantsOf('OperatorAuthorizerRole')).toEqual([]);
  });

  it.each(Object.keys(publicServices))('lets service %s, which answers anyone, reach nothing', (service) => {
    expect(grantsOf(`Service${service}Role`)).toEqual([]);
  });

  it('tells each function only what it needs', () => {
    const variablesOf = (prefix: string) => {
      const [, resource] =
        Object.entries(resourcesOf(synthesized, 'AWS::Lambda::Function')).find(([id]) => id.startsWith(prefix)) ?? [];
      const { Variables } = resource?.Properties['Environment'] as { Variables: Record<string, unknown> };
      return Object.keys(Variables)
        .filter((name) => name.startsWith('TENANTRY_'))
        .map((name) => name.replace('TENANTRY_', ''))
        .sort();
    };

    expect(variablesOf('Serviceprojects')).toEqual([
      'BASE_DOMAINS',
      'CACHE_URL',
      'CLUSTERS',
      'LIMITS_WHEN_UNAVAILABLE',
      'REGISTRY',
      'STAGE',
    ]);
    expect(variablesOf('Authorizer')).toEqual(['CLUSTERS', 'ISSUERS', 'REGISTRY', 'SIGNING_SECRET_ARN', 'STAGE']);
    expect(variablesOf('Serviceopenapi')).toEqual(['STAGE']);
    expect(variablesOf('OperatorAuthorizer')).toEqual(['ISSUERS', 'STAGE']);
    expect(variablesOf('Controlcontrolplane')).toEqual([
      'CLUSTERS',
      'CLUSTER_CAPACITY',
      'FLEET_FUNCTION_ARN',
      'MIGRATION_FUNCTION_ARN',
      'OPERATIONS_FUNCTION_ARN',
      'REGISTRY',
      'STAGE',
    ]);
    expect(variablesOf('OperationsFunction')).toEqual([
      'CLUSTERS',
      'EXPORT_BUCKET',
      'LATE_ANSWER_SECONDS',
      'MIGRATION_FUNCTION_ARN',
      'PUBLISHER_FUNCTION_ARN',
      'REGISTRY',
      'STAGE',
      'TENANT_API',
      'TENANT_CACHE_FUNCTION_ARN',
    ]);
    expect(variablesOf('TenantCache')).toEqual(['CACHE_URL', 'STAGE']);
    expect(variablesOf('EventsPublish')).toEqual(['CLUSTERS', 'EVENT_BUS', 'REGISTRY', 'STAGE']);
    expect(variablesOf('OperationRestarter')).toEqual([
      'CLUSTERS',
      'OPERATIONS_FUNCTION_ARN',
      'REGISTRY',
      'RESTART_AFTER_SECONDS',
      'STAGE',
    ]);
    expect(variablesOf('Controlsupport')).toEqual([
      'CLUSTERS',
      'REGISTRY',
      'REGISTRY_SECRET_ARN',
      'SIGNING_SECRET_ARN',
      'STAGE',
    ]);
    expect(variablesOf('MigrationsFleetFunction')).toEqual(['STAGE']);
    expect(variablesOf('MigrationsMigrateFunction')).toEqual([
      'CLUSTERS',
      'FLEET_FUNCTION_ARN',
      'REGISTRY',
      'ROLE_SECRET_ARNS',
      'SIGNING_SECRET_ARN',
      'STAGE',
    ]);
  });

  it('takes application functions into the network, and leaves authorizers and control plane out of it', () => {
    const inNetwork = Object.entries(resourcesOf(synthesized, 'AWS::Lambda::Function'))
      .filter(([, { Properties }]) => 'VpcConfig' in Properties)
      .map(([id]) => id.replace(/Function\w+$/, ''));

    expect(inNetwork.sort()).toEqual(['Serviceprojects', 'Servicetasks', 'TenantCache']);
  });
});
