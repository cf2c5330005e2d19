import * as z from 'zod';
import { AwsError } from '../aws/aws-error.ts';
import { type AwsEndpoint, type AwsRequest, startAwsEndpoint } from '../aws/endpoint.ts';
import { parseJson } from '../aws/json.ts';
import { listSecrets, listSecretsRequest } from './list-secrets.ts';
import type { Secret, SecretStore } from './secret-store.ts';

/** The service's name in signatures and, before a dot, in X-Amz-Target. */
const service = 'secretsmanager';

const getSecretValueRequest = z.object({
  SecretId: z.string().min(1).max(2048),
  VersionId: z.string().min(32).max(64).optional(),
  VersionStage: z.string().min(1).max(256).optional(),
});

/** Serves GetSecretValue and ListSecrets of AWS Secrets Manager on 127.0.0.1; a secret has its current version only. */
export function startSecretsManager(options: { secrets: SecretStore; port?: number }): Promise<AwsEndpoint> {
  return startAwsEndpoint({
    port: options.port ?? 0,
    signingName: service,
    contentType: 'application/x-amz-json-1.1',
    requestLimitBytes: 1024 * 1024,
    handle: (request) => answer(options.secrets, request),
    internalError: (cause) => new AwsError('InternalServiceError', 500, String(cause)),
  });
}

function answer(secrets: SecretStore, { headers, body }: AwsRequest): Record<string, unknown> {
  switch (headers['x-amz-target']) {
    case `${service}.GetSecretValue`:
      return getSecretValue(secrets, body);
    case `${service}.ListSecrets`:
      return listSecrets(secrets, parse(body, listSecretsRequest));
    default:
      throw new AwsError(
        'UnknownOperationException',
        400,
        `${String(headers['x-amz-target'] ?? 'A request without X-Amz-Target')} is not supported here. ` +
          `Supported is ${service}.GetSecretValue, ${service}.ListSecrets.`,
      );
  }
}

function getSecretValue(secrets: SecretStore, body: string): Record<string, unknown> {
  const request = parse(body, getSecretValueRequest);
  const secret = secrets.get(request.SecretId);
  if (!secret) throw notFound("Secrets Manager can't find the specified secret.");
  refuseOtherVersion(secret, request);
  return {
    ARN: secret.arn,
    Name: secret.name,
    VersionId: secret.versionId,
    VersionStages: ['AWSCURRENT'],
    SecretString: secret.value,
    CreatedDate: secret.createdAt.getTime() / 1000,
  };
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

function refuseOtherVersion(secret: Secret, request: z.infer<typeof getSecretValueRequest>): void {
  const { VersionId: id = secret.versionId, VersionStage: stage = 'AWSCURRENT' } = request;
  if (id !== secret.versionId) {
    throw notFound(`Secrets Manager can't find the specified secret value for VersionId: ${id}`);
  }
  if (stage !== 'AWSCURRENT') {
    throw notFound(`Secrets Manager can't find the specified secret value for staging label: ${stage}`);
  }
}

function notFound(message: string): AwsError {
  return new AwsError('ResourceNotFoundException', 400, message);
}
