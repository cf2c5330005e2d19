import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import * as z from 'zod';
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
 */
export async function readAssembly(folder: string): Promise<Stack[]> {
  const { artifacts } = manifestSchema.parse(await readJson(join(folder, 'manifest.json')));
  const stacks: Stack[] = [];
  for (const [id, artifact] of inOrder(artifacts)) {
    if (artifact.type === 'aws:cloudformation:stack') stacks.push(await readStack(folder, id, artifact, artifacts));
    const nested = artifact.type === 'cdk:cloud-assembly' ? artifact.properties.directoryName : undefined;
    if (nested) stacks.push(...(await readAssembly(join(folder, nested))));
  }
  return stacks;
}

async function readStack(
  folder: string,
  id: string,
  artifact: Artifact,
  artifacts: Record<string, Artifact>,
): Promise<Stack> {
  const template = templateSchema.parse(await readJson(join(folder, artifact.properties.templateFile ?? '')));
  const [account, region] = (artifact.environment ?? '').replace('aws://', '').split('/');
  const known = (value: string | undefined, fallback: string): string =>
    value && !value.startsWith('unknown-') ? value : fallback;
  const assets = new Map<string, string>();
  for (const dependency of artifact.dependencies) {
    const file = artifacts[dependency]?.type === 'cdk:asset-manifest' && artifacts[dependency].properties.file;
    if (file) await readAssets(folder, file, assets);
  }
  return stackFromTemplate(template, {
    name: artifact.properties.stackName ?? id,
    account: known(account, localAccount),
    region: known(region, localRegion),
    assets,
  });
}

async function readAssets(folder: string, file: string, assets: Map<string, string>): Promise<void> {
  const manifest = assetsSchema.parse(await readJson(join(folder, file)));
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

async function readJson(path: string): Promise<unknown> {
  return JSON.parse(await readFile(path, 'utf8'));
}
