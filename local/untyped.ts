/** Members of a value that came from outside; none where it is no object. */
export function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

/** JSON.parse, with a result that has to be looked at before it is used. */
export const parseUntyped: (text: string) => unknown = JSON.parse;
