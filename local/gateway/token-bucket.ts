import type { Throttle } from './definition.ts';

/** Holds at most `burst` tokens and gains `rate` a second; starts full. */
export class TokenBucket {
  readonly #throttle: Throttle;
  #tokens: number;
  #updatedAt: number;

  constructor(throttle: Throttle, now: number) {
    this.#throttle = throttle;
    this.#tokens = throttle.burst;
    this.#updatedAt = now;
  }

  /** Takes a token if there is one. @param now milliseconds */
  take(now: number): boolean {
    const gained = ((now - this.#updatedAt) / 1_000) * this.#throttle.rate;
    this.#tokens = Math.min(this.#throttle.burst, this.#tokens + gained);
    this.#updatedAt = now;
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }
}
