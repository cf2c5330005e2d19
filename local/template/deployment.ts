import * as z from 'zod';
import { readAssembly } from './assembly.ts';
import { Resolver } from './intrinsics.ts';
import { describe, type Resource, type Stack, TemplateError } from './stack.ts';
import { refuseUnknownTypes } from './resource-types.ts';

/** How a kind of resource is read: what of it the local stack acts on, and what it leaves to AWS on purpose. */
export interface ResourceShape<T extends z.ZodType> {
  readonly type: string;
  /** A strict object: a property that is neither in it nor in `ignored` is refused, never overlooked. */
  readonly schema: T;
  /** Properties that change nothing about what an answer is: descriptions, tags, roles, network, retention. */
  readonly ignored: readonly string[];
}

/** A resource as the local stack acts on it: properties resolved and checked. */
export interface Deployed<T> {
  readonly id: string;
  readonly resource: Resource;
  readonly properties: T;
}

/** A synthesized app as if it were deployed here. */
export interface Deployment {
  /** In deployment order. */
  readonly resources: readonly Resource[];
  readonly resolver: Resolver;
}

/**
 * Reads a cloud assembly.
 *
 * @throws TemplateError if a stack has a resource of a type that the local stack does not know; StartupError if a file is damaged
 */
export function readDeployment(assemblyFolder: string): Deployment {
  return deploymentOf(readAssembly(assemblyFolder));
}

export function deploymentOf(stacks: readonly Stack[]): Deployment {
  const resolver = new Resolver(stacks);
  const resources = stacks.flatMap((stack) => [...stack.resources.values()]).filter((item) => resolver.exists(item));
  refuseUnknownTypes(resources);
  return { resources, resolver };
}

/** Every resource of a shape's type, in deployment order. @throws TemplateError */
export function readAll<T extends z.ZodType>(deployment: Deployment, shape: ResourceShape<T>): Deployed<z.infer<T>>[] {
  return deployment.resources
    .filter(({ type }) => type === shape.type)
    .map((resource) => readResource(deployment, resource, shape));
}

/** @throws TemplateError naming every property that the shape does not know or that does not fit it. */
export function readResource<T extends z.ZodType>(
  { resolver }: Deployment,
  resource: Resource,
  shape: ResourceShape<T>,
): Deployed<z.infer<T>> {
  const relevant = Object.entries(resource.properties).filter(([name]) => !shape.ignored.includes(name));
  const place = { stack: resource.stack, where: describe(resource) };
  const parsed = shape.schema.safeParse(resolver.resolve(Object.fromEntries(relevant), place));
  if (parsed.success) return { id: resolver.reference(resource), resource, properties: parsed.data };
  const problems = parsed.error.issues.map(({ path, message }) => `  ${path.join('.') || 'properties'}: ${message}`);
  throw new TemplateError([`${describe(resource)} uses what the local stack does not know:`, ...problems].join('\n'));
}
