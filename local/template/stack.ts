import * as z from 'zod';

const objectSchema = z.record(z.string(), z.unknown());

export const templateSchema = z.object({
  Resources: z.record(
    z.string(),
    z.object({ Type: z.string(), Properties: objectSchema.default({}), Condition: z.string().optional() }),
  ),
  Parameters: z.record(z.string(), z.object({ Type: z.string(), Default: z.unknown().optional() })).default({}),
  Mappings: z.record(z.string(), z.record(z.string(), objectSchema)).default({}),
  Conditions: objectSchema.default({}),
  Outputs: z
    .record(z.string(), z.object({ Value: z.unknown(), Export: z.object({ Name: z.unknown() }).optional() }))
    .default({}),
});
export type Template = z.infer<typeof templateSchema>;

export interface Resource {
  readonly logicalId: string;
  readonly type: string;
  /** As they stand in the template, intrinsic functions included. */
  readonly properties: Readonly<Record<string, unknown>>;
  readonly condition: string | undefined;
  readonly stack: Stack;
}

export interface Stack {
  readonly name: string;
  readonly account: string;
  readonly region: string;
  readonly template: Template;
  readonly resources: ReadonlyMap<string, Resource>;
  /** Folder or file of an asset, by its key in the bucket. */
  readonly assets: ReadonlyMap<string, string>;
}

export function stackFromTemplate(
  template: Template,
  about: { name: string; account: string; region: string; assets: ReadonlyMap<string, string> },
): Stack {
  const resources = new Map<string, Resource>();
  const stack: Stack = { ...about, template, resources };
  for (const [logicalId, { Type, Properties, Condition }] of Object.entries(template.Resources)) {
    resources.set(logicalId, { logicalId, type: Type, properties: Properties, condition: Condition, stack });
  }
  return stack;
}

/** The template says something that the local stack cannot do, so that running it would mean something else than deploying it. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

/** How messages name a resource. */
export function describe(resource: Resource): string {
  return `${resource.stack.name}/${resource.logicalId} (${resource.type})`;
}
