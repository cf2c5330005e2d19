/** Of API Gateway's events, which have null where there are no headers, whatever their types say. */
interface Headers {
  readonly headers: Readonly<Record<string, string | undefined>> | null;
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[] | undefined>> | null;
}
type HeaderMap = ReadonlyMap<string, readonly string[]>;

/** A request is asked for several headers; the names that it has are brought to one case once. */
const headerMaps = new WeakMap<Headers, HeaderMap>();

/**
 * Every value of a header, whatever the case of its name: several when the client sent it with several values. The headers of an event
 * are taken to stay as they are.
 */
export function headerValues(event: Headers, name: string): string[] {
  return [...new Set(sentValues(event, name))];
}

/** The value of a header, the last one when there are several; undefined when there is none. */
export function headerValue(event: Headers, name: string): string | undefined {
  return sentValues(event, name)?.at(-1);
}

function sentValues(event: Headers, name: string): readonly string[] | undefined {
  let map = headerMaps.get(event);
  if (!map) headerMaps.set(event, (map = headerMap(event)));
  return map.get(name.toLowerCase());
}

/** `headers` has the last value of each header, so it comes last. */
function headerMap({ headers, multiValueHeaders }: Headers): HeaderMap {
  const map = new Map<string, string[]>();
  const add = (name: string, value: string | undefined): void => {
    if (value === undefined) return;
    const key = name.toLowerCase();
    const values = map.get(key);
    if (values) values.push(value);
    else map.set(key, [value]);
  };
  for (const [name, values] of Object.entries(multiValueHeaders ?? {})) values?.forEach((value) => add(name, value));
  for (const [name, value] of Object.entries(headers ?? {})) add(name, value);
  return map;
}
