import type { APIGatewayProxyEvent } from 'aws-lambda';

/** API Gateway sends null for headers where there are none, whatever the types say. */
type Headers = Pick<APIGatewayProxyEvent, 'headers'> & Partial<Pick<APIGatewayProxyEvent, 'multiValueHeaders'>>;

/** Every value of a header, whatever the case of its name: several when the client sent it more than once. */
export function headerValues({ headers, multiValueHeaders }: Headers, name: string): string[] {
  const values = [...valuesOf(headers, name), ...valuesOf(multiValueHeaders, name)].flat();
  return [...new Set(values)].filter((value) => value !== undefined);
}

/** The value of a header, the last one when there are several; undefined when there is none. */
export function headerValue({ headers }: Headers, name: string): string | undefined {
  return valuesOf(headers, name).at(-1);
}

function valuesOf<T>(headers: Readonly<Record<string, T>> | null | undefined, name: string): T[] {
  const wanted = name.toLowerCase();
  return Object.entries(headers ?? {}).flatMap(([key, value]) => (key.toLowerCase() === wanted ? [value] : []));
}
