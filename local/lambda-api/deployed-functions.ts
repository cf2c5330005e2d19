import * as z from 'zod';
import { type Deployment, readAll, type ResourceShape } from '../template/deployment.ts';
import { lambdaError } from './errors.ts';

/** A function as callers of Lambda name it. */
export interface DeployedFunction {
  readonly arn: string;
  readonly name: string;
  readonly isDurable: boolean;
  /** Versions and aliases, and `$LATEST`. */
  readonly qualifiers: readonly string[];
  /** How often an asynchronous invocation that fails is made again, by qualifier; Lambda's own number if it has none. */
  readonly retries: ReadonlyMap<string, number>;
}

/** A function and the version of it that is meant. */
export interface Meant {
  readonly called: DeployedFunction;
  /** `$LATEST` if the caller named none. */
  readonly qualifier: string;
  readonly isQualified: boolean;
}

const invokeConfigShape = {
  type: 'AWS::Lambda::EventInvokeConfig',
  schema: z.strictObject({
    FunctionName: z.string(),
    Qualifier: z.string(),
    MaximumRetryAttempts: z.coerce.number().int().min(0).max(2).optional(),
  }),
  ignored: ['MaximumEventAgeInSeconds'],
} satisfies ResourceShape<z.ZodType>;

export function readDeployedFunctions(deployment: Deployment): DeployedFunction[] {
  const { resources, resolver } = deployment;
  const published = resources
    .filter(({ type }) => type === 'AWS::Lambda::Version' || type === 'AWS::Lambda::Alias')
    .map((resource) => resolver.reference(resource));
  const configs = readAll(deployment, invokeConfigShape).map(({ properties }) => properties);
  return resources
    .filter(({ type }) => type === 'AWS::Lambda::Function')
    .map((resource) => {
      const arn = resolver.attribute(resource, 'Arn');
      const name = resolver.reference(resource);
      const ofThis = configs.filter(({ FunctionName }) => [arn, name].includes(FunctionName));
      return {
        arn,
        name,
        isDurable: 'DurableConfig' in resource.properties,
        qualifiers: [
          '$LATEST',
          ...published.filter((text) => text.startsWith(`${arn}:`)).map((text) => text.slice(arn.length + 1)),
        ],
        retries: new Map(
          ofThis.flatMap(({ Qualifier, MaximumRetryAttempts: most }) =>
            most === undefined ? [] : [[Qualifier, most]],
          ),
        ),
      };
    });
}

const reference =
  /^(?:arn:aws:lambda:[a-z0-9-]+:\d{12}:function:)?[\w-]{1,64}(?::(?<qualifier>\$LATEST|[\w-]{1,128}))?$/;

/**
 * The function that a request means: by its name or its ARN, either with a version or an alias at the end, or that apart.
 *
 * @throws AwsError ResourceNotFoundException; InvalidParameterValueException for what is no reference, or two qualifiers that differ
 */
export function findMeant(functions: readonly DeployedFunction[], text: string, apart: string | undefined): Meant {
  const match = reference.exec(text);
  if (!match)
    throw lambdaError('InvalidParameterValueException', `${text} is neither a name nor an ARN of a function.`);
  const { qualifier = apart } = match.groups ?? {};
  if (apart !== undefined && qualifier !== apart) {
    throw lambdaError(
      'InvalidParameterValueException',
      'The derived qualifier from the function name does not match the specified qualifier.',
    );
  }
  const bare = match.groups?.['qualifier'] === undefined ? text : text.slice(0, text.lastIndexOf(':'));
  const called = functions.find(({ arn, name }) => bare === arn || bare === name);
  const meant = qualifier ?? '$LATEST';
  if (!called?.qualifiers.includes(meant)) {
    throw lambdaError('ResourceNotFoundException', `Function not found: ${bare}${qualifier ? `:${qualifier}` : ''}`);
  }
  return { called, qualifier: meant, isQualified: qualifier !== undefined };
}
