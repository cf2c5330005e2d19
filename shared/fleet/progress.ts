import { randomUUID } from 'node:crypto';
import * as z from 'zod';

const failureSchema = z.object({
  database: z.string(),
  placement: z.string(),
  version: z.string(),
  sqlstate: z.string(),
  error: z.string(),
});

/** What has become of placements so far. */
const tallySchema = z.object({
  done: z.int(),
  failed: z.int(),
  /** The first of them. */
  failures: z.array(failureSchema).readonly(),
});
export type Tally = Readonly<z.output<typeof tallySchema>>;

/** How far a run has come, for whoever goes on with it. What was done stands in the databases. */
export const progressSchema = z.object({
  /** What ledgers and registry call the run. */
  run: z.string(),
  /** How often it was gone on with. */
  slice: z.int(),
  /** `shared` as long as placements of databases that tenants share are left, `silos` when only databases of tenants' own are. */
  phase: z.enum(['shared', 'silos', 'done']),
  /** Done only in that a later run goes on in its place. */
  isOvertaken: z.boolean().default(false),
  /** Placements of databases that tenants share. Their own run counts how many failures it puts up with. */
  shared: tallySchema,
  /** How many of these lacked something. */
  lacking: z.int().default(0),
  /** Databases of tenants' own. */
  silos: tallySchema,
  /** Tenants whose database has failed: all of them, since none is tried, or counted, twice. */
  failing: z.array(z.string()).readonly().default([]),
  /** How many of these databases there were. */
  databases: z.int().default(0),
  /** How many of them it is through with. */
  seen: z.int().default(0),
  /** Those of them whose database is not there: nothing for a deployment to mend, or to fail with. */
  missing: z.int().default(0),
  /** More failures of databases of tenants' own end the run. */
  mostFailures: z.int(),
  /** Which of these databases come next: all that there were, those that have changed since `since`, those for which there was no time. */
  pass: z.enum(['all', 'changed', 'left', 'done']),
  since: z.string(),
  /** Tenants up to this one were seen in this pass. */
  after: z.string(),
  /** Tenants whose database took longer than one is given at a time. */
  left: z.array(z.string()).readonly(),
});
export type Progress = Readonly<z.output<typeof progressSchema>>;

const nothing: Tally = { done: 0, failed: 0, failures: [] };

/** A run that has done nothing yet. @param run what it is called. @default a name of its own */
export const beginRun = (run: string = randomUUID()): Progress => ({
  run,
  slice: 0,
  phase: 'shared',
  isOvertaken: false,
  shared: nothing,
  lacking: 0,
  silos: nothing,
  failing: [],
  databases: 0,
  seen: 0,
  missing: 0,
  mostFailures: 0,
  pass: 'all',
  since: '',
  after: '',
  left: [],
});
