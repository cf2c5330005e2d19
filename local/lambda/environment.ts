import { devNull, tmpdir } from 'node:os';
import { fileURLToPath } from 'node:url';
import type { FunctionDefinition } from './definition.ts';

/**
 * Everything that a function's process finds in its environment: what Lambda sets, what the template sets, and where the AWS services
 * of this machine answer (the SDK's own `AWS_ENDPOINT_URL_…`). Nothing of the developer's environment or AWS profile gets in.
 */
export function functionEnvironment(
  definition: FunctionDefinition,
  endpoints: Readonly<Record<string, string>>,
): Record<string, string> {
  return {
    ...endpoints,
    ...definition.environment,
    AWS_REGION: definition.region,
    AWS_DEFAULT_REGION: definition.region,
    AWS_ACCESS_KEY_ID: 'local',
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_SESSION_TOKEN: 'local',
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
    AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand',
    AWS_LAMBDA_FUNCTION_NAME: definition.name,
    AWS_LAMBDA_FUNCTION_VERSION: '$LATEST',
    AWS_LAMBDA_FUNCTION_MEMORY_SIZE: String(definition.memoryMegabytes),
    AWS_LAMBDA_LOG_GROUP_NAME: `/aws/lambda/${definition.name}`,
    AWS_LAMBDA_LOG_STREAM_NAME: 'local',
    LAMBDA_TASK_ROOT: definition.folder,
    LAMBDA_RUNTIME_DIR: fileURLToPath(new URL('.', import.meta.url)),
    LOCAL_ACCOUNT_ID: definition.arn.split(':')[4] ?? '',
    _HANDLER: definition.handler,
    HOME: tmpdir(),
    PATH: '/usr/local/bin:/usr/bin:/bin',
    LANG: 'en_US.UTF-8',
    TZ: ':UTC',
  };
}
