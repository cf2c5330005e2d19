/** A value on its way into a json or jsonb column, see `json`. */
export class JsonText<T = unknown> {
  readonly value: T;
  constructor(value: T) {
    this.value = value;
  }
}

/**
 * Marks a value for a jsonb column. Without the mark an array would be a Postgres array, and a string would have to be JSON text.
 *
 * @example db.insertInto('documents').values({ labels: json(['a', 'b']) })
 */
export function json<T>(value: T): JsonText<T> {
  return new JsonText(value);
}
