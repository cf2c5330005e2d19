import { randomUUID } from 'node:crypto';
import { withTries } from './fleet-call.ts';
import { type FleetOutcome, readOutcome } from './fleet-state.ts';
import type { Execute } from './migrator.ts';

/** A database whose placements are migrated. */
export interface FleetDatabase {
  /** For progress and reports. */
  readonly name: string;
  /** Runs statements as the owner of the kernel. */
  readonly execute: Execute;
  /** What application code logs in as, see `forRole`. @default the shared role */
  readonly role?: string;
  /**
   * Whether it is still there. Given, a database in which nothing can be done is a failure like others, and one that is gone is left out;
   * not given, the run throws.
   */
  readonly isThere?: () => Promise<boolean>;
}

/** A placement in which a migration failed, and which was left as it was. */
export interface FleetFailure {
  readonly database: string;
  readonly placement: string;
  readonly version: string;
  readonly sqlstate: string;
  readonly error: string;
}

export interface FleetProgress {
  /** Placements that lacked something when the run began, or were made since. */
  readonly placements: number;
  readonly done: number;
  readonly failed: number;
}

export interface FleetOptions {
  /** A run to go on with, named without a dot: what ledgers have of it counts, and what has failed is tried again. @default a new one */
  readonly run?: string;
  /** These placements alone. @default all */
  readonly only?: readonly string[];
  /** So many placements go first; if one of them fails, the others are left alone. @default 3 */
  readonly canaries?: number;
  /** Calls at once, in each database. @default 4 */
  readonly concurrency?: number;
  /** Databases at once. @default 4 */
  readonly databasesAtOnce?: number;
  /** Placements that a call takes on at most. @default 50 */
  readonly placementsPerCall?: number;
  /** A call takes on no more placements after that, since each keeps its locks until the end of the call. @default 1000 */
  readonly callMs?: number;
  /** Nor when it holds so many locks: Postgres has 64 for each connection that it allows, for all together. @default 800 */
  readonly locksPerCall?: number;
  /** The run stops when more placements have failed. @default 10, or a twentieth of those that lack something if that is more */
  readonly maxFailures?: number;
  /** Who has claimed a statement that runs alone has begun with it by then. @default 30 */
  readonly leaseSeconds?: number;
  /** Pause before looking again when all that is left is in the hands of others. @default 250 */
  readonly pollMs?: number;
  /** `Date.now()` from which on no call is begun. @default never */
  readonly until?: number;
  readonly onProgress?: (progress: FleetProgress) => void;
}

/** Why a run ended before everything was done: a canary failed, too many did, time was up, or other files were published. */
export type FleetStop = 'canary' | 'budget' | 'time' | 'published';

/** What a run knows of itself. Nothing grows with the number of placements but their failures, which are bounded. */
export class FleetRun {
  /** Who claims placements, and gives up those that have failed. Two who go on with the same run at once are two. */
  readonly id: string;
  /** What it goes on with; else itself. */
  readonly #run: string;
  readonly options: Required<Omit<FleetOptions, 'run' | 'only' | 'onProgress' | 'maxFailures' | 'canaries'>>;
  /** By database and placement. */
  readonly #failures = new Map<string, Map<string, FleetFailure>>();
  /** By database. */
  readonly #done = new Map<string, number>();
  readonly #onProgress: FleetOptions['onProgress'];
  #maxFailures: number;
  #placements = 0;
  stopped: FleetStop | undefined;

  constructor(options: FleetOptions) {
    this.#run = options.run ?? randomUUID();
    this.id = options.run === undefined ? this.#run : `${options.run}.${randomUUID()}`;
    this.#onProgress = options.onProgress;
    this.#maxFailures = options.maxFailures ?? 10;
    this.options = {
      concurrency: options.concurrency ?? 4,
      databasesAtOnce: options.databasesAtOnce ?? 4,
      placementsPerCall: options.placementsPerCall ?? 50,
      callMs: options.callMs ?? 1_000,
      locksPerCall: options.locksPerCall ?? 800,
      leaseSeconds: options.leaseSeconds ?? 30,
      pollMs: options.pollMs ?? 250,
      until: options.until ?? Number.POSITIVE_INFINITY,
    };
  }

  get failures(): readonly FleetFailure[] {
    return [...this.#failures.values()].flatMap((failures) => [...failures.values()]);
  }

  get progress(): FleetProgress {
    const done = [...this.#done.values()].reduce((sum, each) => sum + each, 0);
    return { placements: Math.max(this.#placements, done), done, failed: this.failures.length };
  }

  begin(placements: number, maxFailures: number | undefined): void {
    this.#placements = placements;
    this.#maxFailures = maxFailures ?? Math.max(10, Math.floor(placements / 20));
    this.#onProgress?.(this.progress);
  }

  succeeded(database: string, placement: string, lacksNothing: boolean): void {
    this.#failures.get(database)?.delete(placement);
    if (lacksNothing) this.#done.set(database, (this.#done.get(database) ?? 0) + 1);
    this.#onProgress?.(this.progress);
  }

  failed(failure: FleetFailure): void {
    const { database, placement } = failure;
    this.#failures.set(
      database,
      (this.#failures.get(database) ?? new Map<string, FleetFailure>()).set(placement, failure),
    );
    this.#onProgress?.(this.progress);
  }

  /** How many failures the budget still has. */
  get budget(): number {
    return this.#maxFailures - this.failures.length;
  }

  /** Whether another call may be made. */
  goesOn(): boolean {
    if (this.budget < 0) this.stopped ??= 'budget';
    if (Date.now() >= this.options.until) this.stopped ??= 'time';
    return this.stopped === undefined;
  }

  /**
   * Takes what the ledger of a database says of this run for what became of it, in place of what answers have said: an answer may be
   * lost, and what nobody waits for any more goes on.
   */
  async takeStock(database: FleetDatabase): Promise<void> {
    const outcome = await withTries(() => readOutcome(database.execute, this.#run));
    if (outcome) this.#write(database.name, outcome);
  }

  #write(database: string, { done, failures }: FleetOutcome): void {
    this.#done.set(database, done);
    this.#failures.set(database, new Map(failures.map((failure) => [failure.placement, { database, ...failure }])));
    this.#onProgress?.(this.progress);
  }

  /**
   * Makes a call, and makes it again when it failed as a whole: the ledger knows what was done, and is asked before.
   *
   * @param parameters are made anew each time
   * @returns nothing when the call took too long to wait for; the database goes on with it
   */
  async call(
    { name, execute }: FleetDatabase,
    sql: string,
    parameters: () => Readonly<Record<string, string>>,
  ): Promise<unknown[] | undefined> {
    return withTries(async (isRepeated) => {
      if (isRepeated) this.#write(name, await readOutcome(execute, this.#run));
      return (await execute(sql, parameters())).map((row) => JSON.parse(String(row)) as unknown);
    });
  }
}
