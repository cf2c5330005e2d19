import { stackOutputs } from '../../shared/contract/index.ts';
import { type ApiDefinition, readApis } from '../gateway/definition.ts';
import type { Deployment } from '../template/deployment.ts';
import { StartupError } from './startup-error.ts';

/** The REST APIs of the stacks, by whom they serve. */
export interface NamedApis {
  readonly tenants: ApiDefinition;
  readonly control: ApiDefinition;
  /** The same as `control`, with AWS credentials in place of tokens. */
  readonly controlIam: ApiDefinition;
}

/**
 * Finds out which REST API is which: that of an output's URL, as a script would that asks CloudFormation.
 *
 * @throws StartupError if there is none for an output, or one that no output names
 */
export function readNamedApis(deployment: Deployment): NamedApis {
  const apis = readApis(deployment);
  const named = (output: string): ApiDefinition => {
    const url = outputOf(deployment, output);
    const api = apis.find(({ id }) => url?.startsWith(`https://${id}.execute-api.`));
    if (api) return api;
    throw new StartupError(`No stack has an output ${output} with the URL of a REST API.`);
  };
  const found = {
    tenants: named(stackOutputs.apiUrl),
    control: named(stackOutputs.controlPlaneUrl),
    controlIam: named(stackOutputs.controlPlaneIamUrl),
  };
  const other = apis.find((api) => !Object.values(found).includes(api));
  if (!other) return found;
  throw new StartupError(
    `The REST API ${other.name} is in no output that the local stack knows. Add it to shared/contract.`,
  );
}

function outputOf({ resources, resolver }: Deployment, name: string): string | undefined {
  for (const stack of new Set(resources.map((resource) => resource.stack))) {
    const output = stack.template.Outputs[name];
    if (output) return resolver.text(output.Value, { stack, where: `output ${stack.name}.${name}` });
  }
  return undefined;
}
