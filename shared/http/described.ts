import type { ZodOpenApiOverrideMeta } from 'zod-openapi';

type JsonSchema = Parameters<ZodOpenApiOverrideMeta>[0]['jsonSchema'];

/**
 * For `meta({ override })`: describes a schema by exactly these keywords and its own description. An object as `override` would only add
 * to what the schema itself is described by, such as the form that a value has as text.
 */
export function described(keywords: JsonSchema): ZodOpenApiOverrideMeta {
  return ({ jsonSchema }) => {
    const { description } = jsonSchema;
    for (const keyword of Object.keys(jsonSchema)) Reflect.deleteProperty(jsonSchema, keyword);
    Object.assign(jsonSchema, { ...(description !== undefined && { description }), ...keywords });
  };
}
