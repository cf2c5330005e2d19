import { dirname, join } from 'node:path';
import * as z from 'zod';
import { StartupError } from '../stack/startup-error.ts';
import { readStateFile } from '../stack/state-file.ts';
import { type Stack, stackFromTemplate, templateSchema } from './stack.ts';

/** Stands in for the account and Region of stacks that may be deployed anywhere. */
const localAccount = '000000000000';
const localRegion = 'us-east-1';

const artifactSchema = z.object({
  type: z.string(),
  environment: z.string().optional(),
  dependencies: z.array(z.string()).default([]),
  properties: z
    .object({
      templateFile: z.string().optional(),
      stackName: z.string().optional(),
      file: z.string().optional(),
      directoryName: z.string().optional(),
    })
    .default({}),
});
const manifestSchema = z.object({ artifacts: z.record(z.string(), artifactSchema).default({}) });
type Artifact = z.infer<typeof artifactSchema>;

const assetsSchema = z.object({
  files: z.record(
    z.string(),
    z.object({
      source: z.object({ path: z.string() }),
      destinations: z.record(z.string(), z.object({ objectKey: z.string() })),
    }),
  ),
});

/**
 * The stacks of a synthesized cloud assembly (`cdk.out`), in the order in which they would be deployed.
 *
 * @param folder where manifest.json is
 * @throws StartupError if a file of it is missing or damaged
 */
export function readAssembly(folder: string): Stack[] {
  const { artifacts } = readJson(join(folder, 'manifest.json'), manifestSchema);
  const stacks: Stack[] = [];
  for (const [id, artifact] of inOrder(artifacts)) {
    if (artifact.type === 'aws:cloudformation:stack') stacks.push(readStack(folder, id, artifact, artifacts));
    const nested = artifact.type === 'cdk:cloud-assembly' ? artifact.properties.directoryName : undefined;
    if (nested) stacks.push(...readAssembly(join(folder, nested)));
  }
  return stacks;
}

function readStack(folder: string, id: string, artifact: Artifact, artifacts: Record<string, Artifact>): Stack {
  const template = readJson(join(folder, artifact.properties.templateFile ?? ''), templateSchema);
  const [account, region] = (artifact.environment ?? '').replace('aws://', '').split('/');
  const known = (value: string | undefined, fallback: string): string =>
    value && !value.startsWith('unknown-') ? value : fallback;
  const assets = new Map<string, string>();
  for (const dependency of artifact.dependencies) {
    const file = artifacts[dependency]?.type === 'cdk:asset-manifest' && artifacts[dependency].properties.file;
    if (file) readAssets(folder, file, assets);
  }
  return stackFromTemplate(template, {
    name: artifact.properties.stackName ?? id,
    account: known(account, localAccount),
    region: known(region, localRegion),
    assets,
  });
}

function readAssets(folder: string, file: string, assets: Map<string, string>): void {
  const manifest = readJson(join(folder, file), assetsSchema);
  for (const { source, destinations } of Object.values(manifest.files)) {
    for (const { objectKey } of Object.values(destinations)) assets.set(objectKey, join(folder, source.path));
  }
}

/** Artifacts after everything that they depend on. */
function inOrder(artifacts: Record<string, Artifact>): [string, Artifact][] {
  const ordered = new Map<string, Artifact>();
  const visit = (id: string): void => {
    const artifact = artifacts[id];
    if (!artifact || ordered.has(id)) return;
    for (const dependency of artifact.dependencies) visit(dependency);
    ordered.set(id, artifact);
  };
  Object.keys(artifacts).forEach(visit);
  return [...ordered];
}

/** @throws StartupError if the file is missing or damaged, as when somebody has tidied up in the folder */
function readJson<T>(path: string, schema: z.ZodType<T>): T {
  const remedy = `Delete the folder ${dirname(path)}, and start again to have it synthesized.`;
  const content = readStateFile(path, schema, remedy);
  if (content === undefined) throw new StartupError(`${path} is missing. ${remedy}`);
  return content;
}
