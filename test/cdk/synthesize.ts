import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { Template } from 'aws-cdk-lib/assertions';
import { createApp } from '../../lib/app.ts';
import { loadConfig, type StageConfigInput } from '../../lib/config.ts';

/** Folders of the functions, each of which is deployed. */
export const functionNames = globSync('*/', { cwd: resolve(import.meta.dirname, '../../functions') });

export interface Synthesized {
  /** Folder of the cloud assembly. */
  readonly outdir: string;
  /** Name without stage, such as `Data`, and template. */
  readonly templates: Readonly<Record<string, Template>>;
  readonly manifest: { readonly missing?: readonly unknown[] };
  readonly terminationProtected: readonly string[];
  [Symbol.dispose](): void;
}

/** Synthesizes a stage in a folder of its own, without the checks, which checks.test.ts is about. */
export function synthesize(overrides: Partial<StageConfigInput> = {}, stage = 'dev'): Synthesized {
  const outdir = mkdtempSync(join(tmpdir(), 'tenantry-cdk-'));
  const assembly = createApp(loadConfig(stage, overrides), { outdir, validate: false }).synth();
  const nameOf = (stack: { stackName: string }) => stack.stackName.replace(`Tenantry-${stage}-`, '');
  return {
    outdir,
    templates: Object.fromEntries(
      assembly.stacks.map((stack) => [nameOf(stack), Template.fromJSON(stack.template as Record<string, unknown>)]),
    ),
    manifest: assembly.manifest,
    terminationProtected: assembly.stacks.filter((stack) => stack.terminationProtection).map(nameOf),
    [Symbol.dispose]: () => rmSync(outdir, { recursive: true, force: true }),
  };
}

/** A resource of a template, as far as tests look at it. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly DeletionPolicy?: string;
}

/** Template of the stack, or an error that says which there are. */
export function templateOf({ templates }: Synthesized, name: string): Template {
  const template = templates[name];
  if (!template) throw new Error(`There is no stack ${name}, only ${Object.keys(templates).join(', ')}.`);
  return template;
}

/** Resources of a type in all stacks, by logical id. */
export function resourcesOf({ templates }: Synthesized, type: string): Record<string, Resource> {
  const found = Object.values(templates).map((template) => template.findResources(type) as Record<string, Resource>);
  return Object.fromEntries(found.flatMap((resources) => Object.entries(resources)));
}

/** Whether a resource belongs to the API whose logical id begins like this. */
export const isOfApi = ({ Properties }: Resource, api: string): boolean =>
  ((Properties['RestApiId'] as { Ref?: string } | undefined)?.Ref ?? '').startsWith(api);

/**
 * `METHOD /path` of every method, with its properties.
 *
 * @param api begin of an API's logical id, where a stack has several
 */
export function methods(template: Template, api = ''): Map<string, Resource['Properties']> {
  const resources = template.findResources('AWS::ApiGateway::Resource') as Record<string, Resource>;
  const pathOf = (id: unknown): string => {
    const resource = resources[(id as { Ref?: string }).Ref ?? ''];
    return resource ? `${pathOf(resource.Properties['ParentId'])}/${String(resource.Properties['PathPart'])}` : '';
  };
  const all = Object.values(template.findResources('AWS::ApiGateway::Method') as Record<string, Resource>);
  const found = all.filter((method) => isOfApi(method, api));
  return new Map(
    found.map(({ Properties }) => [
      `${String(Properties['HttpMethod'])} ${pathOf(Properties['ResourceId'])}`,
      Properties,
    ]),
  );
}
