import { resolve } from 'node:path';
import { defaultProvider } from '@aws-sdk/credential-provider-node';
import { CommandError, UsageError } from '../command-error.ts';
import { defaultDataDir, noAnswer, readStack } from '../stack.ts';
import { type ControlPlane, controlPlaneAt } from './control-plane.ts';
import { operatorToken } from './operator-token.ts';
import { awsSigner } from './signer.ts';

/** Options of every command that asks the control plane. */
export const connectionOptions = {
  json: { help: 'JSON, which is also what is printed when the output is no terminal' },
  data: { value: 'DIR', help: `folder of the local stack to ask (default ${defaultDataDir})` },
  api: { value: 'URL', help: 'ask a deployed control plane, with AWS credentials: the output ControlPlaneIamUrl' },
  region: { value: 'R', help: 'Region of --api (default: that in its URL, or AWS_REGION)' },
} as const;

export interface Connection {
  readonly data: string | undefined;
  readonly api: string | undefined;
  readonly region: string | undefined;
}

/**
 * The control plane that the options name: of a local stack, asked with a token of its issuer, or a deployed one, asked with AWS
 * credentials from wherever AWS tools find them.
 *
 * @throws CommandError when no stack runs there, UsageError for options that contradict each other
 */
export async function connect({ data, api, region }: Connection): Promise<ControlPlane> {
  if (api === undefined) return connectLocal(data ?? defaultDataDir);
  if (data !== undefined) throw new UsageError('--api names a deployed control plane, --data a local one: choose.');
  const url = URL.canParse(api) ? new URL(api) : undefined;
  const isLocal = ['127.0.0.1', 'localhost', '[::1]'].includes(url?.hostname ?? '');
  if (!url || !(url.protocol === 'https:' || (url.protocol === 'http:' && isLocal))) {
    throw new UsageError(
      `--api takes an https URL, such as the output ControlPlaneIamUrl, not ${JSON.stringify(api)}.`,
    );
  }
  const signingRegion = region ?? regionOf(url) ?? process.env['AWS_REGION'] ?? process.env['AWS_DEFAULT_REGION'];
  if (!signingRegion) throw new UsageError('The URL names no Region. Give one with --region.');
  return controlPlaneAt({
    url: url.href,
    authenticate: awsSigner(signingRegion, findCredentials()),
    noAnswer: (reason) => `Nothing answers at ${url.href} (${reason}). Check the URL, and the network between.`,
    logs: 'the logs of the control plane in CloudWatch',
  });
}

async function connectLocal(data: string): Promise<ControlPlane> {
  const { controlPlaneUrl } = await readStack(data);
  const token = await operatorToken(data);
  return controlPlaneAt({
    url: controlPlaneUrl,
    authenticate: async ({ headers }) => ({ ...headers, authorization: `Bearer ${token}` }),
    noAnswer: () => noAnswer(controlPlaneUrl, data).message,
    logs: `the logs of the stack (${resolve(data)}/logs)`,
  });
}

/** In `https://<id>.execute-api.<region>.amazonaws.com/<stage>/`. */
const regionOf = ({ hostname }: URL): string | undefined =>
  /\.execute-api\.([a-z\d-]+)\.amazonaws\./.exec(hostname)?.[1];

function findCredentials(): ReturnType<typeof defaultProvider> {
  const find = defaultProvider();
  return async () => {
    try {
      return await find();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      throw new CommandError(`There are no AWS credentials (${reason}). Set AWS_PROFILE, or sign in.`, {
        cause: error,
      });
    }
  };
}
