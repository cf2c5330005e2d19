import * as z from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import { type AwsEndpoint, type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import { parseJson } from '../aws/json.ts';
import { listSecrets, listSecretsRequest } from './list-secrets.ts';
import {
  createSecret,
  createSecretRequest,
  deleteSecret,
  deleteSecretRequest,
  describeSecret,
  describeSecretRequest,
  getSecretValue,
  getSecretValueRequest,
  type SecretOwner,
} from './operations.ts';
import type { SecretStore } from './secret-store.ts';

/** The service's name in signatures and, before a dot, in X-Amz-Target. */
const service = 'secretsmanager';

export interface SecretsManagerOptions extends Partial<SecretOwner> {
  readonly secrets: SecretStore;
  /** 0 or missing: any free port. */
  readonly port?: number;
  /** How long lists have a secret that was deleted, which on AWS may be five minutes. @default 0 */
  readonly listLagMs?: number;
}

type Answer = (body: string) => Record<string, unknown> | Promise<Record<string, unknown>>;

/** Serves some operations of AWS Secrets Manager on 127.0.0.1. */
export function startSecretsManager(options: SecretsManagerOptions): Promise<AwsEndpoint> {
  const operations = operationsOn(options);
  return startAwsEndpoint({
    port: options.port ?? 0,
    signingName: service,
    contentType: 'application/x-amz-json-1.1',
    requestLimitBytes: 1024 * 1024,
    handle: (request) => answer(operations, request),
    internalError: (cause) => new AwsError('InternalServiceError', 500, String(cause)),
  });
}

function operationsOn(options: SecretsManagerOptions) {
  const { secrets, region = 'eu-central-1', account = '000000000000', listLagMs = 0 } = options;
  const owner = { region, account };
  return new Map<string, Answer>([
    ['GetSecretValue', (body) => getSecretValue(secrets, parse(body, getSecretValueRequest))],
    ['ListSecrets', (body) => listSecrets(secrets, parse(body, listSecretsRequest), listLagMs)],
    ['CreateSecret', (body) => createSecret(secrets, owner, parse(body, createSecretRequest))],
    ['DescribeSecret', (body) => describeSecret(secrets, parse(body, describeSecretRequest))],
    ['DeleteSecret', (body) => deleteSecret(secrets, owner, parse(body, deleteSecretRequest))],
  ]);
}

function answer(operations: ReadonlyMap<string, Answer>, { headers, body }: AwsRequest): ReturnType<Answer> {
  const target = String(headers['x-amz-target'] ?? 'A request without X-Amz-Target');
  const operation = target.startsWith(`${service}.`) ? operations.get(target.slice(service.length + 1)) : undefined;
  if (operation) return operation(body);
  const supported = [...operations.keys()].map((name) => `${service}.${name}`).join(', ');
  throw new AwsError('UnknownOperationException', 400, `${target} is not supported here. Supported is ${supported}.`);
}

function parse<Schema extends z.ZodType>(body: string, schema: Schema): z.output<Schema> {
  let json: unknown;
  try {
    json = parseJson(body);
  } catch {
    throw new AwsError('SerializationException', 400, 'The request is not JSON.');
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `'${issue.path.join('.')}': ${issue.message}`);
  throw new AwsError('ValidationException', 400, `Invalid request: ${problems.join('; ')}`);
}
