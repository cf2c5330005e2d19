import * as z from 'zod';
import { described } from './described.ts';

/** An id, as path parameter or field. Any UUID, since ids that nobody has given out are for the database to not find. */
export const id = z
  .guid('Expected a UUID.')
  .toLowerCase()
  .meta({ description: 'UUID', override: described({ type: 'string', format: 'uuid' }) });

/** A moment, as the database writes it: ISO 8601 in UTC, with microseconds. */
export const timestamp = z.string().meta({ override: described({ type: 'string', format: 'date-time' }) });

/** A day of the calendar. The year 0000 is one in ISO 8601, but not in Postgres. */
export const calendarDate = z.iso
  .date()
  .refine((date) => !date.startsWith('0000'), 'Expected a date from 0001-01-01 on.');

/** `true` or `false` in a query string. */
export const flag = z
  .enum(['true', 'false'])
  .transform((text) => text === 'true')
  .meta({ override: described({ type: 'boolean' }) });

/** Text of `min` to `max` characters after blanks at both ends are cut off. */
export const text = (min: number, max: number) => z.string().trim().min(min).max(max);

/** Version of a resource: a PATCH that carries it fails with 409 when somebody else changed the resource since. */
export const version = z.int32().min(1).meta({ description: 'Counts the changes of the resource.' });

/**
 * Body of a PATCH: any of the fields of `fields`, at least one, and the `version` that the client has read.
 * The fields must have no defaults, as those would be written over what is stored.
 */
export function changesOf<Shape extends z.core.$ZodLooseShape>(fields: z.ZodObject<Shape, z.core.$strict>) {
  return fields
    .partial()
    .extend({ version: version.optional() })
    .refine(
      (changes) => Object.keys(changes).some((name) => name !== 'version'),
      'Expected at least one field to change.',
    );
}
