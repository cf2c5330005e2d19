/** One figure of a benchmark. */
export interface Row {
  readonly case: string;
  readonly value: number;
  readonly unit: string;
}

/** Two figures of one run, compared. A ratio above its target is reported as missed, never as an error. */
export interface Ratio {
  readonly name: string;
  readonly value: number;
  readonly target: number;
  readonly met: boolean;
}

export interface Result {
  readonly bench: string;
  readonly rows: readonly Row[];
  readonly ratios: readonly Ratio[];
}

/** A benchmark says what it is doing, since most take a while. */
export type Bench = (progress: (message: string) => void) => Promise<Omit<Result, 'bench'>>;

/** A ratio whose target is an upper bound. */
export function atMost(name: string, value: number, target: number): Ratio {
  return { name, value, target, met: value <= target };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/**
 * Median milliseconds a call of each case. The cases take turns in short rounds, so that whatever else the machine does
 * falls on all of them alike.
 */
export async function takeTurns<Name extends string>(
  cases: Readonly<Record<Name, () => Promise<unknown>>>,
  options: { rounds: number; callsPerRound: number },
): Promise<Record<Name, number>> {
  const names = Object.keys(cases) as Name[];
  const times = new Map<Name, number[]>(names.map((name) => [name, []]));
  for (let round = 0; round <= options.rounds; round += 1) {
    for (const name of names) {
      for (let call = 0; call < options.callsPerRound; call += 1) {
        const start = performance.now();
        await cases[name]();
        // The first round warms caches and plans up.
        if (round > 0) times.get(name)?.push(performance.now() - start);
      }
    }
  }
  return Object.fromEntries(names.map((name) => [name, median(times.get(name) ?? [])])) as Record<Name, number>;
}
