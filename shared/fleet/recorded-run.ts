import * as z from 'zod';

/**
 * Who has written nothing of a run for so long goes on with it no more: a call of the runner, behind which it is written, takes 15 minutes at most, and
 * is made again within one or two where it fails.
 */
export const lostAfterSeconds = 20 * 60;

const causeSchema = z.object({
  version: z.string().meta({ description: 'The migration that failed; `database` where it was none.' }),
  sqlstate: z.string(),
  error: z.string(),
  count: z.int().meta({ description: 'In so many placements.' }),
  placements: z.array(z.string()).readonly().meta({ description: 'The first of them.' }),
});

const timestamp = z.iso.datetime({ offset: true });

/** A run of the migration runner, as the registry knows it. */
export const fleetRunSchema = z.object({
  id: z.guid(),
  state: z.enum(['running', 'done', 'failed', 'stopped', 'overtaken']).meta({
    description:
      '`stopped` when more has failed than a run puts up with, `overtaken` when a later one goes on in its place. One that nobody goes on with any more stays `running`: nothing moves.',
  }),
  slice: z.int().meta({ description: 'How often it was gone on with.' }),
  place: z.string().meta({ description: 'Where in the fleet it is.' }),
  placements: z.int().meta({
    description: 'How many placements there are to look at, as far as is known; 0 before it has looked.',
  }),
  seen: z.int().meta({ description: 'How many of these it has been at.' }),
  done: z.int().meta({ description: 'To so many it has brought something, and they lack nothing now.' }),
  failed: z.int(),
  missing: z.int().meta({ description: 'Of those that failed, databases of tenants’ own that are not there.' }),
  putOff: z.int().meta({
    description: 'Databases of tenants’ own that took too long, and are for when the others are done.',
  }),
  causes: z
    .array(causeSchema)
    .readonly()
    .meta({ description: 'Why something failed, the most frequent causes first.' }),
  error: z.string().nullable().meta({ description: 'Why it ended before its time.' }),
  actor: z.string().nullable().meta({ description: 'The operator who asked for it; null of a deployment.' }),
  startedAt: timestamp,
  movedAt: timestamp.meta({ description: 'When it was last seen to be further than before.' }),
  updatedAt: timestamp,
  endedAt: timestamp.nullable(),
});
export type RecordedFleetRun = Readonly<z.output<typeof fleetRunSchema>>;

/** How far a run of the migration runner is. */
export type FleetRunCounts = Omit<RecordedFleetRun, 'actor' | 'startedAt' | 'movedAt' | 'updatedAt' | 'endedAt'>;
