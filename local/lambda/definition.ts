import * as z from 'zod';
import { type Deployment, readResource, type ResourceShape } from '../template/deployment.ts';
import { describe, type Resource, TemplateError } from '../template/stack.ts';

/** A function as the template describes it. */
export interface FunctionDefinition {
  readonly arn: string;
  readonly name: string;
  /** Folder of the bundle, as it would be uploaded. */
  readonly folder: string;
  /** `file.export`, for example `index.handler`. */
  readonly handler: string;
  readonly timeoutSeconds: number;
  readonly memoryMegabytes: number;
  readonly region: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Most processes at once; undefined where the template sets no limit. */
  readonly reservedConcurrency: number | undefined;
  /** Of a durable function: the longest that an execution may take, with its pauses. Undefined for any other. */
  readonly durableTimeoutSeconds?: number | undefined;
}

const shape = {
  type: 'AWS::Lambda::Function',
  schema: z.strictObject({
    Code: z.strictObject({ S3Bucket: z.string(), S3Key: z.string() }),
    Handler: z.string(),
    Runtime: z.literal('nodejs24.x', 'functions run on nodejs24.x only'),
    Timeout: z.coerce.number().default(3),
    MemorySize: z.coerce.number().default(128),
    ReservedConcurrentExecutions: z.coerce.number().int().min(1).optional(),
    PackageType: z.literal('Zip').optional(),
    DurableConfig: z
      .strictObject({ ExecutionTimeout: z.coerce.number().int().min(1), RetentionPeriodInDays: z.unknown().optional() })
      .optional(),
  }),
  ignored: [
    'Architectures',
    'Description',
    'Environment',
    'EphemeralStorage',
    'FunctionName',
    'KmsKeyArn',
    'LoggingConfig',
    'RecursiveLoop',
    'Role',
    'RuntimeManagementConfig',
    'SnapStart',
    'Tags',
    'TracingConfig',
    'VpcConfig',
  ],
} satisfies ResourceShape<z.ZodType>;

/**
 * Finds a function by what templates call it: its name or its ARN, also with a version behind.
 *
 * @param overrides values for environment keys whose AWS counterpart does not exist here; only keys that the template sets count.
 * @throws TemplateError if there is no such function or it uses what the local stack cannot do.
 */
export function findFunction(
  deployment: Deployment,
  nameOrArn: string,
  overrides: Readonly<Record<string, string>> = {},
): FunctionDefinition {
  const { resolver } = deployment;
  const isMeant = (candidate: Resource): boolean =>
    nameOrArn === resolver.reference(candidate) ||
    `${nameOrArn}:`.startsWith(`${resolver.attribute(candidate, 'Arn')}:`);
  const resource = deployment.resources.find((candidate) => candidate.type === shape.type && isMeant(candidate));
  if (!resource) throw new TemplateError(`No stack has the function ${nameOrArn}.`);
  const { id, properties } = readResource(deployment, resource, shape);
  return {
    arn: resolver.attribute(resource, 'Arn'),
    name: id,
    folder: assetFolder(resource, properties.Code.S3Key),
    handler: properties.Handler,
    timeoutSeconds: properties.Timeout,
    memoryMegabytes: properties.MemorySize,
    region: resource.stack.region,
    environment: environmentOf(deployment, resource, overrides),
    reservedConcurrency: properties.ReservedConcurrentExecutions,
    durableTimeoutSeconds: properties.DurableConfig?.ExecutionTimeout,
  };
}

function assetFolder(resource: Resource, key: string): string {
  const folder = resource.stack.assets.get(key);
  if (folder) return folder;
  throw new TemplateError(`${describe(resource)}.Code: the assembly has no asset ${key}.`);
}

function environmentOf(
  { resolver }: Deployment,
  resource: Resource,
  overrides: Readonly<Record<string, string>>,
): Record<string, string> {
  const { Variables = {} } = z
    .object({ Variables: z.record(z.string(), z.unknown()).optional() })
    .parse(resource.properties['Environment'] ?? {});
  const entries = Object.entries(Variables).map(([key, value]): [string, string] => {
    const place = { stack: resource.stack, where: `${describe(resource)}.Environment.Variables.${key}` };
    const text = overrides[key] ?? resolver.text(value, place);
    if (text.includes('{{resolve:'))
      throw new TemplateError(`${place.where}: dynamic references are not resolved here.`);
    return [key, text];
  });
  return Object.fromEntries(entries);
}
