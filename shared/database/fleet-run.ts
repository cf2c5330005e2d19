import { setTimeout as sleep } from 'node:timers/promises';
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

/** Tries of a call that failed as a whole. It can be repeated: the ledger knows what was done. */
const tries = 4;
const firstPauseMs = 200;

/** What a run knows of itself. Nothing grows with the number of placements but their failures, which are bounded. */
export class FleetRun {
  readonly id: string;
  readonly options: Required<Omit<FleetOptions, 'only' | 'onProgress' | 'maxFailures' | 'canaries'>>;
  readonly #failures = new Map<string, FleetFailure>();
  readonly #onProgress: FleetOptions['onProgress'];
  #maxFailures: number;
  #placements = 0;
  #done = 0;
  stopped: FleetStop | undefined;

  constructor(id: string, options: FleetOptions) {
    this.id = id;
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
    return [...this.#failures.values()];
  }

  get progress(): FleetProgress {
    return { placements: Math.max(this.#placements, this.#done), done: this.#done, failed: this.#failures.size };
  }

  begin(placements: number, maxFailures: number | undefined): void {
    this.#placements = placements;
    this.#maxFailures = maxFailures ?? Math.max(10, Math.floor(placements / 20));
    this.#onProgress?.(this.progress);
  }

  succeeded(database: string, placement: string, lacksNothing: boolean): void {
    this.#failures.delete(`${database} ${placement}`);
    if (lacksNothing) this.#done += 1;
    this.#onProgress?.(this.progress);
  }

  failed(failure: FleetFailure): void {
    this.#failures.set(`${failure.database} ${failure.placement}`, failure);
    this.#onProgress?.(this.progress);
  }

  /** How many failures the budget still has. */
  get budget(): number {
    return this.#maxFailures - this.#failures.size;
  }

  /** Whether another call may be made. */
  goesOn(): boolean {
    if (this.budget < 0) this.stopped ??= 'budget';
    if (Date.now() >= this.options.until) this.stopped ??= 'time';
    return this.stopped === undefined;
  }

  /** @returns nothing when the call took too long to wait for; the database goes on with it */
  async call(
    { execute }: FleetDatabase,
    sql: string,
    parameters: Readonly<Record<string, string>>,
  ): Promise<unknown[] | undefined> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return (await execute(sql, parameters)).map((row) => JSON.parse(String(row)) as unknown);
      } catch (error) {
        if (isTimeout(error)) return undefined;
        if (attempt === tries || isRefusal(error)) throw error;
        await sleep(firstPauseMs * 2 ** (attempt - 1));
      }
    }
  }
}

/** The statement takes longer than the Data API waits; it was told to go on all the same. */
export function isTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'StatementTimeoutException';
}

/** SQLSTATE of a database's error, from the Data API or a driver. */
export function sqlstateOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const [, state] = /SQLState: (\w{5})/.exec(error.message) ?? [];
  return state ?? ('code' in error && /^[0-9A-Z]{5}$/.test(String(error.code)) ? String(error.code) : undefined);
}

/** Asking again would be answered in the same way: the kernel's own errors, missing rights, mistakes. */
function isRefusal(error: unknown): boolean {
  return /^(TN|42|22|0A)/.test(sqlstateOf(error) ?? '');
}
