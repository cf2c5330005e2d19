import { expect } from 'vitest';
import * as z from 'zod';
import { openapiDocument } from '../../functions/openapi/document.ts';
import { followReference, type Reference } from './follow-reference.ts';

type JsonSchema = Parameters<typeof z.fromJSONSchema>[0];

interface DescribedHeader {
  readonly required?: boolean;
  readonly schema: JsonSchema;
}
interface DescribedResponse {
  readonly headers?: Readonly<Record<string, DescribedHeader | Reference>>;
}
interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, DescribedOperation>>>>;
}
interface DescribedOperation {
  readonly responses: Readonly<Record<string, DescribedResponse | Reference>>;
}

const document = JSON.parse(JSON.stringify(openapiDocument())) as Document;

/** Not for those who write clients: of the connection, of API Gateway's own making, for browsers, or described as the body's type. */
const undescribed = /^(connection|content-length|content-type|date|keep-alive|x-amz.*|vary|access-control-.*)$/;

/** Headers that the document describes for an answer, by name in lower case. */
function describedHeaders(route: string, status: number): ReadonlyMap<string, DescribedHeader> {
  const [method = '', path = ''] = route.split(' ');
  const response = document.paths[path]?.[method.toLowerCase()]?.responses[String(status)];
  if (!response) throw new Error(`${route} is not described to answer ${status}.`);
  const { headers = {} } = followReference(document, response);
  return new Map(
    Object.entries(headers).map(([name, header]) => [name.toLowerCase(), followReference(document, header)]),
  );
}

/**
 * Holds the headers of an answer against the OpenAPI document: each is described, what is described as required is there, and
 * every value fits its schema.
 */
export function expectDescribedHeaders(
  route: string,
  status: number,
  headers: Readonly<Record<string, unknown>>,
): void {
  const described = describedHeaders(route, status);
  const sent = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), String(value)]));
  const names = [...sent.keys()].filter((name) => !undescribed.test(name));
  expect(
    names.filter((name) => !described.has(name)),
    `${route} ${status}: sent, not described`,
  ).toEqual([]);
  const required = [...described].filter(([, header]) => header.required).map(([name]) => name);
  expect(
    required.filter((name) => !sent.has(name)),
    `${route} ${status}: described, not sent`,
  ).toEqual([]);
  for (const name of names) {
    const schema = described.get(name)?.schema ?? {};
    const text = sent.get(name) ?? '';
    const value = typeof schema === 'object' && schema.type === 'integer' ? Number(text) : text;
    expect(z.fromJSONSchema(schema).safeParse(value), `${name}: ${text}`).toMatchObject({ success: true });
  }
}
