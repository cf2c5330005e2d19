import fc from 'fast-check';

/** Decisions that a statement takes at most; later forks take their first way, which is the one that ends. */
const decisions = 160;

/** Numbers from fast-check, so that a seed repeats them. */
export const tapes = fc.noBias(
  fc.array(fc.noBias(fc.nat(0xffff_ffff)), { minLength: decisions, maxLength: decisions }),
);

/** Takes the decisions of a grammar from a list of numbers. */
export class Dice {
  readonly #tape: readonly number[];
  #at = 0;

  constructor(tape: readonly number[]) {
    this.#tape = tape;
  }

  /** A whole number from 0 up to but not including `count`; 0 when the numbers have run out. */
  below(count: number): number {
    const number = this.#tape[this.#at++] ?? 0;
    return count === 0 ? 0 : number % count;
  }

  /** True in so many of a hundred cases; false when the numbers have run out. */
  chance(percent: number): boolean {
    return this.#at < this.#tape.length && this.below(100) < percent;
  }

  /** @throws Error for an empty list */
  pick<T>(from: readonly T[]): T {
    const index = this.below(from.length);
    if (index >= from.length) throw new Error('There is nothing to pick from.');
    return from[index] as T;
  }

  /** Calls one of the ways, each as often as its weight says. */
  weighted<T>(...ways: readonly (readonly [weight: number, make: () => T])[]): T {
    let at = this.below(ways.reduce((sum, [weight]) => sum + weight, 0));
    for (const [weight, make] of ways) {
      if (at < weight) return make();
      at -= weight;
    }
    throw new Error('There is no way to go.');
  }

  /** So many things, or one more or less. */
  list<T>(most: number, make: (index: number) => T): T[] {
    return Array.from({ length: 1 + this.below(most) }, (_, index) => make(index));
  }
}
