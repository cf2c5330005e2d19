import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LambdaClient } from '@aws-sdk/client-lambda';
import { buildSync } from 'esbuild';
import { readDeployedFunctions } from '../../local/lambda-api/deployed-functions.ts';
import { type LambdaApi, startLambdaApi } from '../../local/lambda-api/server.ts';
import { Functions } from '../../local/lambda/functions.ts';
import { type Deployment, deploymentOf } from '../../local/template/deployment.ts';
import { stackFromTemplate, templateSchema } from '../../local/template/stack.ts';

interface TestFunction {
  readonly name: string;
  /** A module that exports `handler`. It may import what the project has installed. */
  readonly code: string;
  readonly properties?: object;
}

export interface TestLambda extends AsyncDisposable {
  readonly api: LambdaApi;
  readonly client: LambdaClient;
  /** Events that were given up. */
  readonly givenUp: string[];
  readonly folder: string;
  arnOf(name: string): string;
}

/** A stack of functions, each with a version 1 and the alias `live`. */
function functionsDeployment(folder: string, functions: readonly TestFunction[], more: object = {}): Deployment {
  const resources = functions.flatMap(({ name, code, properties }) => {
    mkdirSync(join(folder, name));
    const stdin = { contents: code, resolveDir: process.cwd(), loader: 'ts' as const };
    const outfile = join(folder, name, 'index.mjs');
    const banner = { js: `import{createRequire as __c}from'node:module';const require=__c(import.meta.url);` };
    const mainFields = ['module', 'main'];
    buildSync({ stdin, outfile, banner, mainFields, bundle: true, platform: 'node', format: 'esm', minify: true });
    const Code = { S3Bucket: 'assets', S3Key: name };
    const FunctionName = { Ref: name };
    return Object.entries({
      [name]: {
        Type: 'AWS::Lambda::Function',
        Properties: {
          FunctionName: name,
          Code,
          Handler: 'index.handler',
          Runtime: 'nodejs24.x',
          MemorySize: 256,
          ...properties,
        },
      },
      [`${name}Version`]: { Type: 'AWS::Lambda::Version', Properties: { FunctionName } },
      [`${name}Alias`]: { Type: 'AWS::Lambda::Alias', Properties: { FunctionName, Name: 'live' } },
    });
  });
  const template = templateSchema.parse({ Resources: { ...Object.fromEntries(resources), ...more } });
  const assets = new Map(functions.map(({ name }) => [name, join(folder, name)]));
  return deploymentOf([stackFromTemplate(template, { name: 'App', account, region, assets })]);
}

const account = '111122223333';
const region = 'eu-central-1';

/** Lambda with functions of a test's own, and the unmodified client of AWS. */
export async function startTestLambda(
  testFunctions: readonly TestFunction[],
  { more = {}, retryDelaysMs = [10, 10] }: { readonly more?: object; readonly retryDelaysMs?: readonly number[] } = {},
): Promise<TestLambda> {
  const folder = mkdtempSync(join(tmpdir(), 'tenantry-lambda-'));
  const deployment = functionsDeployment(folder, testFunctions, more);
  writeFileSync(join(folder, 'runs'), '');
  const functions = new Functions({ deployment, endpoints: {}, overrides: {}, logFolder: folder, maxProcesses: 2 });
  const givenUp: string[] = [];
  const api = await startLambdaApi({
    functions: readDeployedFunctions(deployment),
    invoke: (arn, event) => functions.invoke(arn, event),
    onGivenUp: (line) => givenUp.push(line),
    retryDelaysMs,
  });
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new LambdaClient({ endpoint: api.url, region, credentials, maxAttempts: 1 });
  return {
    api,
    client,
    givenUp,
    folder,
    arnOf: (name) => `arn:aws:lambda:${region}:${account}:function:${name}`,
    [Symbol.asyncDispose]: async () => {
      client.destroy();
      await functions.stop();
      await api.stop();
      rmSync(folder, { recursive: true });
    },
  };
}
