/** `{ "$ref": "#/components/…" }` */
export interface Reference {
  readonly $ref: string;
}

/** What a reference of an OpenAPI document means; anything else is returned as it is. */
export function followReference<T extends object>(document: object, value: T | Reference): T {
  if (!('$ref' in value)) return value;
  const names = value.$ref.replace(/^#\//, '').split('/');
  const target = names.reduce<unknown>((at, name) => Object(at)[name], document);
  if (target === undefined) throw new Error(`${value.$ref} is not in the document.`);
  return target as T;
}
