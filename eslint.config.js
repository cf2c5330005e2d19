import tseslint from 'typescript-eslint';

/** Imports that a room may not make. Each is a regular expression over the import's path. */
const forbid = (...rules) => ({
  'no-restricted-imports': ['error', { patterns: rules.map(([regex, message]) => ({ regex, message })) }],
});

const rdsData = ['^@aws-sdk/client-rds-data$', 'Only shared/database talks to the RDS Data API.'];
const redis = ['^ioredis$', 'Only shared/cache and shared/rate-limit talk to Redis.'];
const noRooms = (rooms, who) => [`(^|/)(${rooms})/`, `${who} may not import ${rooms.replaceAll('|', ', ')}.`];
const unscoped = [
  '(migration-connection|migrator|provision|silo-databases|fleet[\\w-]*)\\.ts$',
  'Only the migration runner may act for no tenant; everybody else uses tenantDatabase().',
];
const registry = [
  '(registry|tenant-rows)-connection\\.ts$',
  'Only shared/control runs statements on the registry, or acts for tenants of which there is no request.',
];
const control = ['(^|/)shared/control/|^\\.\\./control/', 'Only the control plane looks into the registry.'];
const authorizer = ['(^|/)shared/authorizer/|^\\.\\./authorizer/', 'Only authorizers look at tokens.'];
const pureShared = [
  noRooms('functions|lib|local|cli|test|bench', 'shared'),
  ['^aws-cdk-lib', 'shared knows nothing of the CDK.'],
];
const otherRooms = [control, authorizer];
const otherService = ['^\\.\\./(?!\\.\\./)', 'One service does not import another.'];
const schemasOfServices = [
  '^\\.\\./(?!\\.\\./)(?!\\w[\\w-]*/schema\\.ts$)',
  'The OpenAPI document is made from the schema.ts of each service.',
];
const functionsRooms = noRooms('lib|local|cli|test|bench', 'functions');
const anyFunction = [functionsRooms, rdsData, redis, otherService, unscoped, registry];
const anyService = [
  functionsRooms,
  otherService,
  unscoped,
  registry,
  ['^(@aws-sdk|@middy|@aws-lambda-powertools|aws-lambda)', 'A service sees no event, no Middy and no AWS SDK.'],
  ['shared/middleware/', 'A service knows nothing of the request that it serves.'],
];
const authorizers = 'functions/{authorizer,operator-authorizer}';

export default tseslint.config(
  // local/run.cjs is for Nodes that are too old for anything else.
  { ignores: ['node_modules/', 'cdk.out/', '.local/', '.stryker-tmp/', 'reports/', 'local/run.cjs'] },
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: {
      parserOptions: {
        projectService: { allowDefaultProject: ['*.config.js', 'local/run.cjs'] },
        tsconfigRootDir: import.meta.dirname,
      },
    },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // What implements an interface of promises is async, so that it throws as one too.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/no-unsafe-class-instance-assignment': 'off',
      '@typescript-eslint/only-throw-error': ['error', { allowThrowingUnknown: true }],
      '@typescript-eslint/no-extraneous-class': ['error', { allowEmpty: true }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
    },
  },
  {
    files: ['lib/**', 'functions/**', 'shared/**'],
    rules: {
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'shared/config reads the environment; constructs take props.' },
      ],
    },
  },
  { files: ['shared/config/**', 'lib/main.ts'], rules: { 'no-restricted-properties': 'off' } },

  // The rooms, and who may look into which.
  {
    files: ['lib/**'],
    rules: forbid(
      ['shared/(?!contract/)', 'lib shares constants alone: shared/contract.'],
      noRooms('functions|local|cli|test|bench', 'lib'),
      rdsData,
      redis,
    ),
  },
  { files: ['shared/**'], rules: forbid(...pureShared, rdsData, redis, unscoped, registry, ...otherRooms) },
  { files: ['shared/control/**'], rules: forbid(...pureShared, rdsData, redis, unscoped) },
  {
    files: ['shared/contract/**'],
    rules: forbid(['^(?!\\./)', 'shared/contract holds constants and imports nothing.']),
  },
  { files: ['shared/database/**'], rules: forbid(...pureShared, redis, ...otherRooms) },
  {
    files: ['shared/cache/**', 'shared/rate-limit/**'],
    rules: forbid(...pureShared, rdsData, unscoped, registry, ...otherRooms),
  },
  { files: ['functions/**'], rules: forbid(...anyFunction, ...otherRooms) },
  { files: [`${authorizers}/**`], rules: forbid(...anyFunction, control) },
  {
    files: ['functions/{control-plane,support,operations,publish-events,restart-operations}/**'],
    rules: forbid(...anyFunction, authorizer),
  },
  {
    files: ['functions/migrate/**'],
    rules: forbid(functionsRooms, rdsData, redis, otherService, registry, ...otherRooms),
  },
  {
    files: ['functions/openapi/**'],
    rules: forbid(functionsRooms, rdsData, redis, unscoped, registry, ...otherRooms, schemasOfServices),
  },
  {
    files: ['functions/control-plane/document.ts'],
    rules: forbid(functionsRooms, rdsData, redis, unscoped, registry, authorizer, schemasOfServices),
  },
  {
    files: ['functions/*/service.ts'],
    ignores: ['functions/migrate/**'],
    rules: forbid(...anyService, ...otherRooms),
  },
  { files: [`${authorizers}/service.ts`], rules: forbid(...anyService, control) },
  {
    files: ['functions/{control-plane,support,publish-events,restart-operations}/service.ts'],
    rules: forbid(...anyService, authorizer),
  },
  { files: ['cli/**'], rules: forbid(noRooms('local|test|bench', 'cli')) },
  { files: ['local/**'], rules: forbid(noRooms('cli|test|bench', 'local')) },
  { files: ['bench/**'], rules: forbid(noRooms('test', 'bench')) },
  {
    files: ['test/**'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unnecessary-type-assertion': 'off',
      '@typescript-eslint/no-deprecated': 'off',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'off',
      '@typescript-eslint/no-meaningless-void-operator': 'off',
      '@typescript-eslint/require-await': 'off',
    },
  },
  {
    files: ['**/*.config.ts', '*.config.js', 'test/helpers/global-*.ts'],
    rules: { 'no-restricted-syntax': 'off' },
  },
  {
    files: ['*.config.js', 'local/run.cjs'],
    extends: [tseslint.configs.disableTypeChecked],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
);
